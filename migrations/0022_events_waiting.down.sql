drop index events_waiting;
