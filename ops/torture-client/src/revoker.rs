//! Somebody who signs in on a device, opens sockets at every server and signs out again: how long do they live on?

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};

use crate::Result;
use crate::board::Board;
use crate::findings::Kind;
use crate::person::{Person, Way};
use crate::socket::{Next, Socket};

/// What no socket may exceed, nor any token over REST.
const AT_MOST: Duration = Duration::from_secs(5);
/// The close code of an ended session (docs/gateway.md).
const SESSION_ENDED: u16 = 4_010;
const EVERY: Duration = Duration::from_millis(400);

/// Signs in and out until the run stops, by a way whose weather is always clear.
pub async fn revoke(person: Arc<Person>, way: Way, board: Arc<Board>) -> Result<()> {
    let Way { client, doors, patience } = way;
    while !board.stop.is_cancelled() {
        board.pause(EVERY).await;
        let began = Instant::now();
        let signed_in =
            person.expect(Method::POST, "auth/login", Some(&person.credentials()), &[200]).await?;
        let token = signed_in["access_token"].as_str().ok_or("signing in gave no token")?;
        let mut sockets = Vec::new();
        for door in &doors {
            if let Ok(mut socket) = Socket::open(door).await
                && socket.identify(token).await.is_some()
            {
                sockets.push(socket);
            }
        }
        let url = format!("{}/api/v1/auth/logout", person.door());
        let answer = client.post(url).timeout(patience).bearer_auth(token).send().await;
        let ended = Instant::now();
        person.next_door();
        // Anything but 204 says nothing of the session: a lost answer may have been a yes.
        if !answer.is_ok_and(|answer| answer.status() == 204) {
            continue;
        }
        let all = sockets.len() == doors.len();
        for socket in &mut sockets {
            closes(socket, ended, began, &board).await;
        }
        let took = ended.elapsed();
        for door in &doors {
            refuses(&client, door, token, ended, began, &board).await;
        }
        if all && board.was_calm(began) {
            board.revoked.add(took);
        }
    }
    Ok(())
}

/// Waits for the socket's end. What comes late, or with another reason, counts when no fault is to blame.
async fn closes(socket: &mut Socket, ended: Instant, began: Instant, board: &Board) {
    let code = loop {
        match tokio::time::timeout_at((ended + AT_MOST).into(), socket.next()).await {
            Ok(Next::Frame(_)) => {}
            Ok(Next::Closed(code)) => break code,
            Err(_) => {
                if board.was_calm(began) {
                    board.note(
                        Kind::Unrevoked,
                        format!("a socket lived on {AT_MOST:?} after its session's end"),
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
async fn refuses(client: &Client, door: &str, token: &str, ended: Instant, began: Instant, board: &Board) {
    loop {
        let asked = Instant::now();
        let Ok(answer) =
            client.get(format!("{door}/api/v1/auth/me")).timeout(AT_MOST).bearer_auth(token).send().await
        else {
            return;
        };
        if answer.status() == 401 {
            return;
        }
        if answer.status() == 200 && asked > ended + AT_MOST && board.was_calm(began) {
            board.note(
                Kind::Unrevoked,
                format!("a token was good {:?} after its session's end", ended.elapsed()),
            );
        }
        if asked > ended + AT_MOST * 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
