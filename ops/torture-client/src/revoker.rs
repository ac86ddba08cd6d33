//! Somebody who signs in on a device and opens sockets at every server, and whose session is ended, by each way that there is:
//! how long do they live on?

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Result;
use crate::board::Board;
use crate::findings::Kind;
use crate::person::{Person, Way};
use crate::socket::{Next, Socket};

/// What no socket may exceed, nor any token over REST, unless a slow machine is allowed more for most of them.
const AT_MOST: Duration = Duration::from_secs(5);
/// The close code of an ended session (docs/gateway.md).
const SESSION_ENDED: u16 = 4_010;
const EVERY: Duration = Duration::from_millis(400);
/// While a session ends, sockets are opened with its token at each server, one after the other, so many at most; and so many of
/// them are kept, the last ones: with the one that was there before and one on its way as many as a person may have
/// (docs/limits.md).
const KNOCKS: u32 = 32;
const KNOCKS_KEPT: usize = 3;
const KNOCK_EVERY: Duration = Duration::from_millis(10);

/// The ways in which a session ends.
#[derive(Clone, Copy)]
enum End {
    /// It signs itself out.
    Logout,
    /// It signs all of this person's sessions out.
    LogoutAll,
    /// An administrator ends the person's sessions.
    Ended,
    /// An administrator disables the account.
    Disabled,
    /// Another session of the person changes the password.
    Password,
}

const ENDS: [End; 5] = [End::Logout, End::LogoutAll, End::Ended, End::Disabled, End::Password];

/// See the module.
pub struct Revoker {
    /// The account, without a token of its own: it has none for long.
    person: Person,
    admin: Person,
    way: Way,
    board: Arc<Board>,
    at_most: Duration,
    /// The password and the one that it is changed to next; which is which is not known when an answer was lost.
    passwords: [String; 2],
    /// The server at which the next session is ended; all begin at the first, whose clock the others are not behind.
    at: usize,
}

impl Revoker {
    /// Uses a `way` whose weather is always clear. `promised`: within this time most sockets end.
    pub fn new(person: &Person, admin: Person, way: Way, board: Arc<Board>, promised: Duration) -> Self {
        let first = person.password().to_owned();
        let passwords = [format!("{first}, every evening"), first];
        Self {
            person: person.signed_out(),
            admin,
            way,
            board,
            at_most: promised.max(AT_MOST),
            passwords,
            at: 0,
        }
    }

    /// Signs in and out until the run stops.
    pub async fn revoke(mut self) -> Result<()> {
        for end in ENDS.iter().cycle() {
            self.board.pause(EVERY).await;
            if self.board.stop.is_cancelled() {
                break;
            }
            self.once(*end).await?;
        }
        Ok(())
    }

    async fn once(&mut self, end: End) -> Result<()> {
        let began = Instant::now();
        let token = self.sign_in().await?;
        let mut sockets = Vec::new();
        for door in &self.way.doors {
            if let Ok(mut socket) = Socket::open(door).await
                && socket.identify(&token).await.is_some()
            {
                sockets.push(socket);
            }
        }
        self.at = (self.at + 1) % self.way.doors.len();
        let over = CancellationToken::new();
        let mut knocking: JoinSet<Vec<Socket>> = JoinSet::new();
        for door in &self.way.doors {
            knocking.spawn(knock(door.clone(), token.clone(), over.clone()));
        }
        let is_done = self.end(end, &token).await?;
        let ended = Instant::now();
        over.cancel();
        // Anything but a yes says nothing of the session: a lost answer may have been one.
        if is_done {
            let (doors, board) = (&self.way.doors, &*self.board);
            let all = sockets.len() == doors.len();
            for socket in &mut sockets {
                closes(socket, (ended, self.at_most), began, board).await;
            }
            let took = ended.elapsed();
            // Sockets that were greeted meanwhile go with it: one whose token is looked at before the end, and which hears of no end
            // that comes before its `ready`, would live on as long as it likes.
            while let Some(greeted) = knocking.join_next().await {
                for socket in &mut greeted? {
                    board.late_greetings.add();
                    closes(socket, (ended, self.at_most), began, board).await;
                }
            }
            for door in doors {
                refuses(&self.way.client, door, &token, (ended, self.at_most), began, board).await;
            }
            if all && board.was_calm(began) {
                board.revoked.add(took);
            }
        }
        if matches!(end, End::Disabled) {
            let path = format!("auth/users/{}/enable", self.person.id);
            self.admin.expect(Method::PUT, &path, None, &[200]).await?;
        }
        Ok(())
    }

    async fn sign_in(&mut self) -> Result<String> {
        for _ in 0..2 {
            self.person.turn_to(0);
            let form = json!({ "username": self.person.name, "password": self.passwords[1] });
            let answer = self.person.insist(Method::POST, "auth/login", Some(&form)).await?;
            if let (200, Some(token)) = (answer.status, answer.body()["access_token"].as_str()) {
                return Ok(token.to_owned());
            }
            self.passwords.swap(0, 1);
        }
        let text = "neither the old password nor the new one is good";
        self.board.note(Kind::Refused, text);
        Err(text.into())
    }

    /// Answers whether it is known to be done.
    async fn end(&mut self, end: End, token: &str) -> Result<bool> {
        let of_person = format!("auth/users/{}", self.person.id);
        let (method, path, token, body) = match end {
            End::Logout => (Method::POST, "auth/logout".to_owned(), token.to_owned(), None),
            End::LogoutAll => (Method::POST, "auth/logout-all".to_owned(), token.to_owned(), None),
            End::Ended => {
                (Method::DELETE, format!("{of_person}/sessions"), self.admin.token().to_string(), None)
            }
            End::Disabled => {
                (Method::PUT, format!("{of_person}/disable"), self.admin.token().to_string(), None)
            }
            End::Password => {
                let [new, old] = &self.passwords;
                let form = json!({ "current_password": old, "new_password": new });
                (Method::PUT, "auth/me/password".to_owned(), self.sign_in().await?, Some(form))
            }
        };
        let url = format!("{}/api/v1/{path}", self.way.doors[self.at]);
        let mut request = self.way.client.request(method, url).timeout(self.way.patience).bearer_auth(token);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let status = request.send().await.map_or(0, |answer| answer.status().as_u16());
        let is_done = matches!(status, 200 | 204);
        if is_done && body.is_some() {
            self.passwords.swap(0, 1);
        }
        // An administrator whose token is old is given a new one by what they are asked next.
        if status == 401 {
            self.admin.get("auth/me").await?;
        } else if (400..500).contains(&status) {
            let text = format!("ending a session by {path} answered {status}");
            self.board.note(Kind::Refused, text);
        }
        Ok(is_done)
    }
}

/// Opens sockets at a door with a token, one after the other, until the session that it stands for is `over` and once more.
/// Answers the last ones that were greeted.
async fn knock(door: String, token: String, over: CancellationToken) -> Vec<Socket> {
    let mut greeted = VecDeque::new();
    for _ in 0..KNOCKS {
        let is_last = over.is_cancelled();
        if let Ok(mut socket) = Socket::open(&door).await
            && socket.identify(&token).await.is_some()
        {
            greeted.push_back(socket);
        }
        if greeted.len() > KNOCKS_KEPT {
            greeted.pop_front();
        }
        if is_last {
            break;
        }
        let _ = over.run_until_cancelled(tokio::time::sleep(KNOCK_EVERY)).await;
    }
    greeted.into()
}

/// Waits for the socket's end. What comes late, or with another reason, counts when no fault is to blame.
async fn closes(socket: &mut Socket, (ended, at_most): (Instant, Duration), began: Instant, board: &Board) {
    let code = loop {
        match tokio::time::timeout_at((ended + at_most).into(), socket.next()).await {
            Ok(Next::Frame(_)) => {}
            Ok(Next::Closed(code)) => break code,
            Err(_) => {
                if board.was_calm(began) {
                    board.note(
                        Kind::Unrevoked,
                        format!("a socket lived on {at_most:?} after its session's end"),
                    );
                }
                return;
            }
        }
    };
    if code != Some(SESSION_ENDED) && board.was_calm(began) {
        board.note(Kind::Refused, format!("a socket whose session ended was closed with {code:?}"));
    }
}

/// Waits until a server refuses the token. One that cannot be asked is passed over.
async fn refuses(
    client: &Client,
    door: &str,
    token: &str,
    (ended, at_most): (Instant, Duration),
    began: Instant,
    board: &Board,
) {
    loop {
        let asked = Instant::now();
        let Ok(answer) =
            client.get(format!("{door}/api/v1/auth/me")).timeout(at_most).bearer_auth(token).send().await
        else {
            return;
        };
        // 403: of a disabled account.
        if matches!(answer.status().as_u16(), 401 | 403) {
            return;
        }
        if answer.status() == 200 && asked > ended + at_most && board.was_calm(began) {
            board.note(
                Kind::Unrevoked,
                format!("a token was good {:?} after its session's end", ended.elapsed()),
            );
        }
        if asked > ended + at_most * 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
