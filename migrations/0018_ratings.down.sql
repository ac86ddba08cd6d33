-- What people thought of answers goes with its table.
drop table answer_ratings;
