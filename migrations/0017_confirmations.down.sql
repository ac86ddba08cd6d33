-- What waits for a yes goes with its table: it was not done, and can be asked for again.
drop table assistant_confirmations;
