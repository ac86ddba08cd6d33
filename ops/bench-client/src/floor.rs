//! Servers that do the least: what is between them and Confab is what Confab costs. Each runs in a process of its own,
//! as Confab does, so that processor time and memory are told apart.

mod committer;
mod hall;
pub mod pages;
mod poem;
mod wire;

use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use tokio::net::TcpListener;

use crate::Result;
use committer::Committer;
use hall::Hall;

/// What a floor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A frame is made once and shared, a member's queue leaves in one vectored write; nothing is stored.
    Coalescing,
    /// The same behind a committer: SQLite, synchronous=FULL, one transaction for all who wait.
    GroupCommit,
    /// poem with a WebSocket tuned as it can be: a text for each member, all that is queued flushed once; nothing is stored.
    Poem,
}

/// Serves until the process is killed. Prints where, as Confab does.
pub async fn serve(kind: Kind, folder: &Path) -> Result<()> {
    let hall = Arc::new(Hall::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    if kind == Kind::Poem {
        return poem::serve(listener, hall).await;
    }
    let committer = match kind {
        Kind::GroupCommit => Some(Committer::start(folder, hall.clone())?),
        _ => None,
    };
    println!("floor listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let (hall, committer) = (hall.clone(), committer.clone());
        tokio::spawn(async move {
            // A client that goes away is no failure of a floor.
            let _ = wire::serve(stream, &hall, committer.as_ref()).await;
        });
    }
}
