drop index events_of_privacy;
