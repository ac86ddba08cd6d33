-- What brings something to somebody's attention: keywords, hours of quiet, web push, mail.

alter table presences add column away_since bigint;
