-- Incoming webhooks go with their table; what they wrote stays, and so do their bots.
drop table webhooks;
