//! Who calls: one of each kind of person or program that the table has a letter for.

use reqwest::Method;
use serde_json::json;

use crate::harness::user::{User, id, password_of};
use crate::harness::{World, world};

/// Somebody, by what they are to the channel that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    Anonymous,
    Outsider,
    ExMember,
    Guest,
    Member,
    Admin,
    Owner,
    Superuser,
    Bot,
    ReadOnly,
}

impl Actor {
    /// In the order of a word's letters.
    pub const ALL: [Self; 10] = [
        Self::Anonymous,
        Self::Outsider,
        Self::ExMember,
        Self::Guest,
        Self::Member,
        Self::Admin,
        Self::Owner,
        Self::Superuser,
        Self::Bot,
        Self::ReadOnly,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Outsider => "outsider",
            Self::ExMember => "ex",
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
            Self::Superuser => "superuser",
            Self::Bot => "bot",
            Self::ReadOnly => "read_only",
        }
    }

    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|actor| actor.word() == word)
    }

    /// Whoever must not know that a private thing exists.
    pub fn is_outside(self) -> bool {
        matches!(self, Self::Outsider | Self::ExMember | Self::Superuser | Self::Bot)
    }
}

/// All of them, signed in.
pub struct Cast {
    users: Vec<User>,
    bot_id: String,
}

impl Cast {
    pub async fn gather(world: &mut World) -> Self {
        let mut users = Vec::new();
        for actor in Actor::ALL {
            users.push(match actor {
                Actor::Superuser => world.admin().await,
                // The last two get tokens of others below.
                Actor::Anonymous | Actor::Bot | Actor::ReadOnly => world.visitor(),
                _ => world.user(actor.word()).await,
            });
        }
        let mut cast = Self { users, bot_id: String::new() };
        let form = json!({ "username": "machine", "is_bot": true });
        let bot = cast.of(Actor::Superuser).send(Method::POST, "/api/v1/auth/users", Some(&form), 201).await;
        id(&bot["user"]).clone_into(&mut cast.bot_id);
        cast.renew(Actor::Bot).await;
        cast.renew(Actor::ReadOnly).await;
        cast
    }

    pub fn of(&self, actor: Actor) -> &User {
        &self.users[actor as usize]
    }

    /// What the actor's password is.
    pub fn password(actor: Actor) -> String {
        match actor {
            Actor::Superuser => world::ADMIN_PASSWORD.to_owned(),
            Actor::ReadOnly => password_of(Actor::Member.word()),
            other => password_of(other.word()),
        }
    }

    /// Signs somebody in again whose session a call has ended.
    pub async fn renew(&mut self, actor: Actor) {
        let fresh = match actor {
            Actor::Anonymous => return,
            Actor::Bot => {
                let form = json!({ "name": "matrix", "scopes": ["read", "write"], "user_id": self.bot_id });
                let bot = User { id: self.bot_id.clone(), ..self.of(Actor::Superuser).clone() };
                self.with_token(bot, &form).await
            }
            Actor::ReadOnly => {
                let form = json!({ "name": "matrix", "scopes": ["read"] });
                self.with_token(self.of(Actor::Member).clone(), &form).await
            }
            _ => {
                let known = self.of(actor);
                User::log_in(&known.name, &Self::password(actor), &known.address).await
            }
        };
        self.users[actor as usize] = fresh;
        // Calls that end all of a person's sessions end those of their tokens too.
        if actor == Actor::Member {
            Box::pin(self.renew(Actor::ReadOnly)).await;
        }
    }

    /// Gives a member of `channel` a role, as its owner does.
    pub async fn give_role(&self, channel: &str, actor: Actor, role: &str) {
        let user = &self.of(actor).id;
        let path = format!("/api/v1/channels/{channel}/roles/{user}");
        self.of(Actor::Owner).send(Method::PUT, &path, Some(&json!({ "role": role })), 200).await;
    }

    async fn with_token(&self, user: User, form: &serde_json::Value) -> User {
        let made = user.send(Method::POST, "/api/v1/auth/tokens", Some(form), 201).await;
        User { access_token: made["token"].as_str().expect("a token is shown once").to_owned(), ..user }
    }
}
