alter table presences drop column away_since;
