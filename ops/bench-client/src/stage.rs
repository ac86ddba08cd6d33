//! What scenarios share: the server with its people, started when the first scenario asks for it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::Result;
use crate::person::{self, Person};
use crate::report::Report;
use crate::server::Server;

/// Tokens are good for half an hour; a scenario may take ten minutes.
const SIGN_IN_EVERY: Duration = Duration::from_mins(15);

/// The run.
pub struct Stage {
    pub confab: PathBuf,
    pub quick: bool,
    pub rounds: u64,
    pub report: Report,
    world: Option<World>,
}

/// One server with accounts.
pub struct World {
    pub server: Server,
    pub people: Vec<Person>,
    signed_in: Instant,
}

impl Stage {
    pub fn new(confab: PathBuf, quick: bool, rounds: u64) -> Self {
        let rounds = if quick { 1 } else { rounds };
        Self { confab, quick, rounds, report: Report::default(), world: None }
    }

    /// One of two values: that of a full run, or that of a quick one.
    pub fn either<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Takes the server for a scenario, which gives it back with [`Self::give_back`].
    pub async fn world(&mut self) -> Result<World> {
        let mut world = if let Some(world) = self.world.take() {
            world
        } else {
            let server = Server::embedded(&self.confab).await?;
            let count = self.either(1_000, 100);
            eprintln!("registering {count} people");
            let people = person::register(&server.host, count).await?;
            World { server, people, signed_in: Instant::now() }
        };
        if world.signed_in.elapsed() > SIGN_IN_EVERY {
            person::sign_in(&world.server.host, &mut world.people).await?;
            world.signed_in = Instant::now();
        }
        Ok(world)
    }

    /// Started anew on the same data: what the last scenario left in its memory is gone.
    pub async fn give_back(&mut self, world: World) -> Result<()> {
        let server = world.server.stop().await?.launch().await?;
        self.world = Some(World { server, ..world });
        Ok(())
    }
}
