//! Everybody in a run: made before the storm, sent about their business, and called back after it.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

use crate::Result;
use crate::arguments::Arguments;
use crate::board::Board;
use crate::evidence::Heard;
use crate::journal::Journal;
use crate::launcher::{ADMIN, ADMIN_PASSWORD, Server};
use crate::person::Person;
use crate::racer::{self, Victim};
use crate::reader::{Reached, Reader};
use crate::revoker;
use crate::rooms::{self, Rooms};
use crate::writer::Writer;

/// How long a request of somebody under bad weather may take before they ask again.
const IMPATIENT: Duration = Duration::from_secs(8);
/// Longer than any fault: what is asked at the control door is known to be done or not, never given up on its way. Else
/// an addition that was given up could be done after the removal that followed it, and look like a leak.
const PATIENT: Duration = Duration::from_secs(90);
/// Every so many-th reader sleeps now and then without reading.
const SLEEPERS: usize = 3;

/// The doors of all servers, by whom they are for.
struct Doors {
    writers: Vec<String>,
    readers: Vec<String>,
    control: Vec<String>,
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
    doors: Doors,
    writers: Vec<Arc<Person>>,
    readers: Vec<Arc<Person>>,
    victims: Vec<Arc<Person>>,
    visitor: Arc<Person>,
    device: Arc<Person>,
}

impl People {
    /// Registers them and makes the rooms.
    pub async fn gather(arguments: &Arguments, servers: &[Server], board: &Arc<Board>) -> Result<Self> {
        let at = |address: std::net::SocketAddr| format!("http://{address}");
        let doors = Doors {
            writers: servers.iter().map(|it| at(it.doors.writers.address())).collect(),
            readers: servers.iter().map(|it| at(it.doors.readers.address())).collect(),
            control: servers.iter().map(|it| at(it.doors.control.address())).collect(),
        };
        let register =
            async |name: String| Person::register(&name, doors.control.clone(), PATIENT, board).await;
        let admin = Person::sign_in(ADMIN, ADMIN_PASSWORD, doors.control.clone(), PATIENT, board).await?;
        let owner = Arc::new(register("owner".into()).await?);
        let mut writers = Vec::new();
        for number in 0..arguments.writers {
            let person = register(format!("writer{number}")).await?;
            let person = person.through(doors.writers.clone(), IMPATIENT)?.prefer(number.into());
            writers.push(Arc::new(person));
        }
        let mut readers = Vec::new();
        for number in 0..arguments.readers {
            let person = register(format!("reader{number}")).await?;
            let person = person.through(doors.readers.clone(), IMPATIENT)?.prefer(number.into());
            readers.push(Arc::new(person));
        }
        let mut victims = Vec::new();
        for number in 0..arguments.victims {
            victims.push(Arc::new(register(format!("victim{number}")).await?.prefer(number.into())));
        }
        let outsider = register("outsider".into()).await?;
        let visitor = Arc::new(outsider.through(doors.readers.clone(), IMPATIENT)?);
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
            doors,
            writers,
            readers,
            victims,
            visitor,
            device,
        })
    }

    /// Those who listen begin.
    pub fn listen(&mut self, rng: &mut StdRng, board: &Arc<Board>) -> Result<()> {
        for (number, person) in self.readers.iter().enumerate() {
            let sleeps = number.is_multiple_of(SLEEPERS).then(|| fork(rng));
            let reader = Reader::new(person.clone(), board.clone(), self.rooms.clone(), false, sleeps);
            self.reached.push(reader.reached.clone());
            self.listening.spawn(reader.listen());
        }
        for victim in &self.victims {
            let ears = Arc::new(victim.through(self.doors.readers.clone(), IMPATIENT)?);
            let reader = Reader::new(ears, board.clone(), self.rooms.clone(), false, None);
            self.listening.spawn(reader.listen());
        }
        let reader = Reader::new(self.visitor.clone(), board.clone(), self.rooms.clone(), true, None);
        self.reached.push(reader.reached.clone());
        self.listening.spawn(reader.listen());
        Ok(())
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
        for victim in 0..racers.len() {
            self.busy.spawn(racer::probe(racers.clone(), victim, fork(rng), board.clone()));
        }
        let never: Arc<[Victim]> = [Victim::new(self.visitor.clone(), &self.rooms)].into();
        self.busy.spawn(racer::probe(never, 0, fork(rng), board.clone()));
        let control = self.doors.control.clone();
        self.busy.spawn(revoker::revoke(self.device.clone(), control, PATIENT, board.clone()));
    }
}

/// A stream of chance of its own, so that nobody's choices depend on who was faster.
fn fork(rng: &mut StdRng) -> StdRng {
    StdRng::seed_from_u64(rng.random())
}
