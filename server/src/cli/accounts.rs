//! `confab user` and `confab token`: for whoever runs the server, who may all of it.

use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use confab_core::api_tokens::{self, ApiToken, NewToken, Scopes};
use confab_core::audit::Actor;
use confab_core::roles::Granted;
use confab_core::users::{self, Listed, NewUser};
use confab_core::{Db, Fault, FutureExt, Result, Settings, passwords, sign_in};
use confab_protocol::{PAGE_LIMIT, SessionId, User as Account, UserId};
use serde_json::json;

use super::{Common, open_record, say};

#[derive(Subcommand)]
pub enum User {
    /// Make an account; without a password a one-time link is printed by which the person chooses one
    Create(Create),
    /// All accounts, bots too
    List {
        /// Only names that begin with this
        #[arg(default_value = "")]
        prefix: String,
    },
    /// Keep somebody out; --undo lets them in again
    Disable {
        /// User name or e-mail address
        name: String,
        /// Let them in again
        #[arg(long)]
        undo: bool,
    },
    /// Print a one-time link by which somebody chooses a new password
    ResetPassword {
        /// User name or e-mail address
        name: String,
    },
    /// Make somebody a superuser; --undo makes them a plain user again
    MakeAdmin {
        /// User name or e-mail address
        name: String,
        /// A plain user again
        #[arg(long)]
        undo: bool,
    },
}

#[derive(Args)]
pub struct Create {
    /// User name
    name: String,
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// As the person writes it
    #[arg(long)]
    full_name: Option<String>,
    /// Read the password from standard input; never give it as an argument, where others see it
    #[arg(long, conflicts_with = "password_hash")]
    password_stdin: bool,
    /// A hash of another system: Argon2id or bcrypt
    #[arg(long, value_name = "HASH")]
    password_hash: Option<String>,
    /// No person: signs in with tokens only
    #[arg(long, conflicts_with_all = ["password_stdin", "password_hash", "admin"])]
    bot: bool,
    /// A superuser
    #[arg(long)]
    admin: bool,
}

#[derive(Subcommand)]
pub enum Token {
    /// Make a token; it is printed this once
    Create {
        /// Whose: a user name or e-mail address
        user: String,
        /// What for
        #[arg(long, default_value = "command line")]
        name: String,
        /// Some of read, write, admin, with commas between
        #[arg(long, default_value = "read,write", value_delimiter = ',')]
        scopes: Vec<String>,
        /// Days until it ends by itself
        #[arg(long)]
        expires_in_days: Option<u64>,
    },
    /// Somebody's tokens, without their secrets
    List {
        /// Whose: a user name or e-mail address
        user: String,
    },
    /// Make a token void
    Revoke {
        /// The id that `list` shows
        id: String,
    },
}

/// Runs `confab user`.
pub async fn user(which: User, common: &Common, settings: &Settings) -> Result<()> {
    let password = match &which {
        User::Create(create) if create.password_stdin => Some(read_password()?),
        _ => None,
    };
    let db = open_record(settings).await?;
    let done = match which {
        User::Create(create) => make(&db, create, password, common, settings).await,
        User::List { prefix } => list(&db, &prefix, common).await,
        User::Disable { name, undo } => disable(&db, &name, undo, common).await,
        User::ResetPassword { name } => reset_password(&db, &name, common, settings).await,
        User::MakeAdmin { name, undo } => make_admin(&db, &name, undo, common).await,
    };
    db.close().await;
    done
}

fn read_password() -> Result<String> {
    if std::io::stdin().is_terminal() {
        eprintln!("The password, then Enter:");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Fault::internal)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

async fn make(
    db: &Db,
    create: Create,
    password: Option<String>,
    common: &Common,
    settings: &Settings,
) -> Result<()> {
    let mut user = NewUser::check(&create.name, create.email.as_deref(), create.full_name.as_deref())?;
    user.is_superuser = create.admin;
    user.is_bot = create.bot;
    if let Some(hash) = create.password_hash {
        passwords::check_hash(&hash)?;
        user.password_hash = Some(hash);
    }
    if let Some(password) = password {
        let about = [Some(&user.username), user.email.as_ref()].into_iter().flatten().cloned().collect();
        user.password_hash = Some(passwords::accept("password", password, about).await?);
    }
    let (made, secret) = db
        .write(move |tx| async move { sign_in::create_account(tx, &Granted::operator(), user).await }.boxed())
        .await?;
    let url = secret.map(|secret| link(settings, &secret));
    say(common, &json!({ "user": made, "reset_url": url }), || match &url {
        Some(url) => format!("made {}; they choose a password at\n{url}", made.username),
        None => format!("made {}", made.username),
    });
    Ok(())
}

/// A server that is told its address by each request cannot say it here.
fn link(settings: &Settings, secret: &str) -> String {
    let base = settings.public_url.clone().unwrap_or_else(|| {
        let (host, port) = (settings.listen.ip(), settings.listen.port());
        if host.is_unspecified() {
            format!("http://localhost:{port}")
        } else {
            format!("http://{host}:{port}")
        }
    });
    format!("{base}/reset#{secret}")
}

async fn find(db: &Db, name: &str) -> Result<UserId> {
    let found = users::credentials(&mut db.read(), name).await?;
    found.map(|it| it.user_id).ok_or(Fault::NotFound("user"))
}

async fn list(db: &Db, prefix: &str, common: &Common) -> Result<()> {
    let mut all: Vec<Account> = Vec::new();
    loop {
        let after = all.last().map(|it| confab_core::text::key(&it.username)).unwrap_or_default();
        let page = users::accounts(&mut db.read(), Listed::Everyone, prefix, &after, PAGE_LIMIT).await?;
        let is_last = page.len() < PAGE_LIMIT as usize;
        all.extend(page);
        if is_last {
            break;
        }
    }
    say(common, &json!({ "items": all }), || all.iter().map(line).collect::<Vec<_>>().join("\n"));
    Ok(())
}

fn line(user: &Account) -> String {
    let marks = [
        (user.is_superuser, "admin"),
        (user.is_bot, "bot"),
        (!user.is_active, "disabled"),
        (user.two_factor_enabled == Some(true), "two-factor"),
    ];
    let marks: Vec<&str> = marks.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word).collect();
    format!("{:<24} {:<32} {}", user.username, user.email.as_deref().unwrap_or("-"), marks.join(" "))
}

async fn disable(db: &Db, name: &str, undo: bool, common: &Common) -> Result<()> {
    let id = find(db, name).await?;
    let user = db
        .write(move |tx| {
            async move {
                let by = Granted::operator();
                if undo { users::enable(tx, &by, id).await } else { users::disable(tx, &by, id).await }
            }
            .boxed()
        })
        .await?;
    say(common, &json!({ "user": user }), || {
        format!("{} {} sign in", user.username, if user.is_active { "may" } else { "may not" })
    });
    Ok(())
}

async fn reset_password(db: &Db, name: &str, common: &Common, settings: &Settings) -> Result<()> {
    let id = find(db, name).await?;
    let (secret, expires_at) = db
        .write(move |tx| {
            async move { sign_in::link_password_reset(tx, &Granted::operator(), id).await }.boxed()
        })
        .await?;
    let url = link(settings, &secret);
    say(common, &json!({ "url": url, "expires_at": expires_at }), || {
        format!("{url}\n(works once, until {expires_at})")
    });
    Ok(())
}

async fn make_admin(db: &Db, name: &str, undo: bool, common: &Common) -> Result<()> {
    let id = find(db, name).await?;
    let user = db
        .write(move |tx| {
            async move { users::set_superuser(tx, &Granted::operator(), id, Some(!undo)).await }.boxed()
        })
        .await?;
    say(common, &json!({ "user": user }), || {
        format!("{} is {}", user.username, if user.is_superuser { "a superuser" } else { "a plain user" })
    });
    Ok(())
}

/// Runs `confab token`.
pub async fn token(which: Token, common: &Common, settings: &Settings) -> Result<()> {
    let db = open_record(settings).await?;
    let done = run_token(&db, which, common).await;
    db.close().await;
    done
}

async fn run_token(db: &Db, which: Token, common: &Common) -> Result<()> {
    let operator = Granted::operator().standing();
    match which {
        Token::Create { user, name, scopes, expires_in_days } => {
            let id = find(db, &user).await?;
            let new = NewToken { name, scopes: Scopes::parse(&scopes)?, expires_in_days };
            let (made, secret) = db
                .write(move |tx| {
                    async move { api_tokens::create(tx, &Actor::operator(), operator, id, new).await }.boxed()
                })
                .await?;
            say(common, &json!({ "id": made.id, "token": secret }), || secret.clone());
        }
        Token::List { user } => {
            let id = find(db, &user).await?;
            let all = api_tokens::list(&mut db.read(), &Actor::operator(), operator, id).await?;
            let items: Vec<serde_json::Value> = all
                .iter()
                .map(|it| {
                    json!({ "id": it.id, "name": it.name, "scopes": it.scopes.words(), "created_at": it.created_at,
                        "last_used_at": it.last_used_at, "expires_at": it.expires_at })
                })
                .collect();
            say(common, &json!({ "items": items }), || {
                all.iter().map(token_line).collect::<Vec<_>>().join("\n")
            });
        }
        Token::Revoke { id } => {
            let id: SessionId = id.parse().map_err(|_| Fault::invalid("id", "is no id of a token"))?;
            db.write(move |tx| {
                async move { api_tokens::revoke(tx, &Actor::operator(), operator, id).await }.boxed()
            })
            .await?;
            say(common, &json!({ "revoked": id }), || format!("{id} is void"));
        }
    }
    Ok(())
}

fn token_line(token: &ApiToken) -> String {
    let used = token.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
    format!("{}  {:<24} {:<18} {used}", token.id, token.name, token.scopes.words().join(","))
}
