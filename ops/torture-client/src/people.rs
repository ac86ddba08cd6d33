//! Everybody in a run: made before the storm, sent about their business, and called back after it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Client;
use tokio::task::JoinSet;

use crate::Result;
use crate::arguments::Arguments;
use crate::board::Board;
use crate::evidence::Heard;
use crate::journal::Journal;
use crate::launcher::{ADMIN, ADMIN_PASSWORD, Server};
use crate::opener;
use crate::person::{Person, Way};
use crate::racer::{self, Victim};
use crate::reader::{Reached, Reader, Standing};
use crate::revoker::Revoker;
use crate::rooms::{self, Rooms};
use crate::writer::Writer;

/// The one who made the rooms, and whom people call; visitors of private rooms begin with the other word.
pub const OWNER: &str = "owner";
pub const VICTIM: &str = "victim";
/// How long a request of somebody under bad weather may take before they ask again.
const IMPATIENT: Duration = Duration::from_secs(8);
/// Longer than any fault: what is asked at the control door is known to be done or not, never given up on its way. Else
/// an addition that was given up could be done after the removal that followed it, and look like a leak.
const PATIENT: Duration = Duration::from_secs(90);
/// Every so many-th reader sleeps now and then without reading.
const SLEEPERS: usize = 3;

/// The ways to all servers, by whom they are for.
struct Ways {
    writers: Way,
    readers: Way,
    control: Way,
}

impl Ways {
    fn to(servers: &[Server]) -> Result<Self> {
        let client = Client::builder().build()?;
        let way = |door: fn(&Server) -> SocketAddr, patience| {
            let doors = servers.iter().map(|server| format!("http://{}", door(server))).collect();
            Way { client: client.clone(), doors, patience }
        };
        Ok(Self {
            writers: way(|it| it.doors.writers.address(), IMPATIENT),
            readers: way(|it| it.doors.readers.address(), IMPATIENT),
            control: way(|it| it.doors.control.address(), PATIENT),
        })
    }
}

/// Everybody.
pub struct People {
    pub admin: Person,
    pub owner: Arc<Person>,
    pub outsider: Person,
    pub rooms: Rooms,
    /// Tasks that end when the run stops, and listeners, who go on until they are hushed.
    pub busy: JoinSet<Result<()>>,
    pub listening: JoinSet<Result<Heard>>,
    /// How far those are who are always there.
    pub reached: Vec<Reached>,
    ways: Ways,
    writers: Vec<Arc<Person>>,
    readers: Vec<Arc<Person>>,
    victims: Vec<Arc<Person>>,
    visitor: Arc<Person>,
    device: Arc<Person>,
    /// Within this time most sockets of ended sessions end.
    revoked_within: Duration,
}

impl People {
    /// Registers them and makes the rooms.
    pub async fn gather(arguments: &Arguments, servers: &[Server], board: &Arc<Board>) -> Result<Self> {
        let ways = Ways::to(servers)?;
        let register = async |name: String| Person::register(&name, &ways.control, board).await;
        let admin = Person::sign_in(ADMIN, ADMIN_PASSWORD, &ways.control, board).await?;
        let owner = Arc::new(register(OWNER.into()).await?);
        let (mut writers, mut readers, mut victims) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..arguments.writers {
            let person = register(format!("writer{number}")).await?;
            writers.push(Arc::new(person.by(&ways.writers).prefer(number.into())));
        }
        for number in 0..arguments.readers {
            let person = register(format!("reader{number}")).await?;
            readers.push(Arc::new(person.by(&ways.readers).prefer(number.into())));
        }
        for number in 0..arguments.victims {
            victims.push(Arc::new(register(format!("{VICTIM}{number}")).await?.prefer(number.into())));
        }
        let outsider = register("outsider".into()).await?;
        let visitor = Arc::new(outsider.by(&ways.readers));
        let device = Arc::new(register("device".into()).await?);

        let members: Vec<_> = writers.iter().chain(&readers).map(|it| it.id).collect();
        let visitors: Vec<_> = victims.iter().map(|it| it.id).chain([outsider.id]).collect();
        let rooms = rooms::make(&owner, &members, &visitors).await?;
        Ok(Self {
            admin,
            owner,
            outsider,
            rooms,
            busy: JoinSet::new(),
            listening: JoinSet::new(),
            reached: Vec::new(),
            ways,
            writers,
            readers,
            victims,
            visitor,
            device,
            revoked_within: Duration::from_millis(arguments.revoked_within_ms),
        })
    }

    /// Everybody who is in all rooms, from before their first message on.
    pub fn members(&self) -> Vec<&Person> {
        std::iter::once(&self.owner).chain(&self.writers).chain(&self.readers).map(Arc::as_ref).collect()
    }

    /// Everybody who is in no private room any more when the storm is over, or never was.
    pub fn strangers(&self) -> Vec<&Person> {
        self.victims.iter().map(Arc::as_ref).chain([&self.outsider]).collect()
    }

    /// Those who listen begin.
    pub fn listen(&mut self, rng: &mut StdRng, board: &Arc<Board>) {
        for (number, person) in self.readers.iter().enumerate() {
            let sleeps = number.is_multiple_of(SLEEPERS).then(|| fork(rng));
            let reader =
                Reader::new(person.clone(), board.clone(), self.rooms.clone(), Standing::Member, sleeps);
            self.reached.push(reader.reached.clone());
            self.listening.spawn(reader.listen());
        }
        for victim in &self.victims {
            let ears = Arc::new(victim.by(&self.ways.readers));
            let reader = Reader::new(ears, board.clone(), self.rooms.clone(), Standing::Visitor, None);
            self.listening.spawn(reader.listen());
        }
        let (visitor, rooms) = (self.visitor.clone(), self.rooms.clone());
        let reader = Reader::new(visitor, board.clone(), rooms, Standing::Outsider, None);
        self.reached.push(reader.reached.clone());
        self.listening.spawn(reader.listen());
    }

    /// Everybody else begins.
    pub fn begin(&mut self, rng: &mut StdRng, journal: &Arc<Journal>, board: &Arc<Board>) {
        for (number, person) in self.writers.iter().enumerate() {
            let over_socket = number % 4 == 3;
            let (rooms, journal, board) = (self.rooms.clone(), journal.clone(), board.clone());
            let writer = Writer::new(person.clone(), rooms, fork(rng), journal, board, over_socket);
            self.busy.spawn(writer.write());
        }
        let racers: Arc<[Victim]> =
            self.victims.iter().map(|it| Victim::new(it.clone(), &self.rooms)).collect();
        let private = racers.first().map_or(0, |it| it.turnstiles.len());
        for room in 0..private {
            self.busy.spawn(racer::race(self.owner.clone(), racers.clone(), room, fork(rng), board.clone()));
        }
        // One of the private rooms; the others are never anybody's but their members'.
        if let Some(room) = self.rooms.iter().rfind(|room| room.secret.is_some()) {
            let owner = self.owner.clone();
            self.busy.spawn(opener::open_and_close(owner, room.clone(), fork(rng), board.clone()));
        }
        for victim in 0..racers.len() {
            self.busy.spawn(racer::probe(racers.clone(), victim, fork(rng), board.clone()));
        }
        let never: Arc<[Victim]> = [Victim::new(self.visitor.clone(), &self.rooms)].into();
        self.busy.spawn(racer::probe(never, 0, fork(rng), board.clone()));
        let admin = self.admin.by(&self.ways.control);
        let (way, board) = (self.ways.control.clone(), board.clone());
        self.busy.spawn(Revoker::new(&self.device, admin, way, board, self.revoked_within).revoke());
    }
}

/// A stream of chance of its own, so that nobody's choices depend on who was faster.
fn fork(rng: &mut StdRng) -> StdRng {
    StdRng::seed_from_u64(rng.random())
}
