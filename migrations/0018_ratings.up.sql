-- What askers think of the assistant's answers. It goes with the conversation.
create table answer_ratings (
    conversation_id uuid not null references conversations (id) on delete cascade,
    number bigint not null,
    is_helpful boolean not null,
    rated_at bigint not null,
    primary key (conversation_id, number)
);
create index answer_ratings_by_time on answer_ratings (rated_at, is_helpful);
