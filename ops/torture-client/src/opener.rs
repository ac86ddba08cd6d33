//! A private room that is everybody's for moments: what is said there may be read by all meanwhile, and by nobody else
//! once its owner has closed it again.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::json;

use crate::Result;
use crate::board::Board;
use crate::person::Person;
use crate::rooms::Room;

/// How long it is open and closed at most, in milliseconds. It is closed for the most part, or nobody would be outside.
const OPEN_MS: u64 = 60;
const CLOSED_MS: u64 = 1_500;

/// Opens and closes the room until the run stops; it is closed then.
pub async fn open_and_close(
    owner: Arc<Person>,
    room: Room,
    mut rng: StdRng,
    board: Arc<Board>,
) -> Result<()> {
    let path = format!("channels/{}/privacy", room.id);
    while !board.stop.is_cancelled() {
        room.wall.turn();
        let form = json!({ "is_private": false, "share_history": true });
        owner.expect(Method::PUT, &path, Some(&form), &[200]).await?;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..OPEN_MS))).await;
        owner.expect(Method::PUT, &path, Some(&json!({ "is_private": true })), &[200]).await?;
        room.wall.turn();
        board.opened.add();
        board.pause(Duration::from_millis(rng.random_range(0..CLOSED_MS))).await;
    }
    Ok(())
}
