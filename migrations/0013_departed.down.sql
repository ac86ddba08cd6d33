drop index memberships_ended;
