//! A TCP proxy that can be a bad network: between clients and servers, and between servers and what they stand on.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Result;

/// Bytes of one step.
const BUFFER_BYTES: usize = 16 * 1_024;
/// What a trickle lets through of each buffer at once, and how often.
const TRICKLE_BYTES: usize = 256;
const TRICKLE_EVERY: Duration = Duration::from_millis(50);

/// The state of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Everything goes through.
    Clear,
    /// Everything goes through, late.
    Delay(Duration),
    /// A few bytes at a time.
    Trickle,
    /// Nothing goes through and nothing is lost; nobody is told.
    Stall,
    /// What clients say arrives, what they are answered is lost; nobody is told. When it ends, these connections break.
    HalfOpen,
    /// Connections break, and none is made.
    Cut,
}

/// Where a proxy leads.
#[derive(Clone, Debug)]
pub enum Target {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// One proxy, listening for the whole run on one port; what it leads to may move. Ends with this value.
pub struct Proxy {
    /// For the report.
    pub name: String,
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    target: watch::Sender<Option<Target>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port. Until it is told where to lead, connections break.
    pub async fn open(name: impl Into<String>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Clear);
        let (target, led) = watch::channel(None);
        let listening = tokio::spawn(async move {
            loop {
                // Out of files, say: those who wait go on waiting.
                let Ok((client, _)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                let target = led.borrow().clone();
                tokio::spawn(carry(client, target, seen.clone()));
            }
        });
        Ok(Self { name: name.into(), address, weather, target, listening })
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads elsewhere from the next connection on; `None`: nowhere.
    pub fn lead(&self, target: Option<Target>) {
        self.target.send_replace(target);
    }

    /// Changes the weather, for connections that are there too.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One connection, until either side or the weather ends it.
async fn carry(client: TcpStream, target: Option<Target>, mut weather: watch::Receiver<Weather>) {
    let _ = client.set_nodelay(true);
    if weather.wait_for(|it| *it != Weather::Stall).await.is_err() {
        return;
    }
    if *weather.borrow() == Weather::HalfOpen {
        // Accepted and never answered.
        let _ = weather.wait_for(|it| *it != Weather::HalfOpen).await;
        return;
    }
    let broken = broken(weather.clone());
    match target {
        Some(Target::Tcp(address)) => {
            let Ok(server) = TcpStream::connect(address).await else { return };
            let _ = server.set_nodelay(true);
            between(client, server, &weather, broken).await;
        }
        Some(Target::Unix(path)) => {
            let Ok(server) = UnixStream::connect(path).await else { return };
            between(client, server, &weather, broken).await;
        }
        None => {}
    }
}

async fn between(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    weather: &watch::Receiver<Weather>,
    broken: impl Future<Output = ()>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let there = pump(&mut from_client, &mut to_server, weather.clone(), false);
    let back = pump(&mut from_server, &mut to_client, weather.clone(), true);
    // One side that ends is told to the other; one that breaks takes the other along, as the kernel does for the dead.
    tokio::select! {
        _ = async { tokio::try_join!(there, back) } => {}
        () = broken => {}
    }
}

/// Waits until the weather is one that a connection does not survive: a cut, or the end of a loss.
async fn broken(mut weather: watch::Receiver<Weather>) {
    let mut before = *weather.borrow_and_update();
    loop {
        if before == Weather::Cut || weather.changed().await.is_err() {
            return;
        }
        let now = *weather.borrow_and_update();
        if before == Weather::HalfOpen {
            return;
        }
        before = now;
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut weather: watch::Receiver<Weather>,
    is_answer: bool,
) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut has_lost = false;
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        let now = *weather.borrow_and_update();
        if has_lost && now != Weather::HalfOpen {
            // Whoever waits for the end of the loss may be asked after this: what comes now would follow on a hole, which no
            // network does to a connection.
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        match now {
            Weather::Delay(late) => tokio::time::sleep(late).await,
            Weather::Stall => {
                let _ = weather.wait_for(|it| *it != Weather::Stall).await;
            }
            Weather::HalfOpen if is_answer => {
                has_lost = true;
                continue;
            }
            Weather::Clear | Weather::Cut | Weather::HalfOpen => {}
            Weather::Trickle => {
                for some in buffer[..count].chunks(TRICKLE_BYTES) {
                    to.write_all(some).await?;
                    // What is left of this buffer goes at once when the weather clears.
                    if *weather.borrow() == Weather::Trickle {
                        tokio::time::sleep(TRICKLE_EVERY).await;
                    }
                }
                continue;
            }
        }
        to.write_all(&buffer[..count]).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn said(stream: &mut TcpStream, word: &[u8; 4]) -> std::io::Result<bool> {
        said_within(Duration::from_secs(30), stream, word).await
    }

    /// The same where nothing may come: it cannot be waited for.
    async fn said_soon(stream: &mut TcpStream, word: &[u8; 4]) -> std::io::Result<bool> {
        said_within(Duration::from_millis(300), stream, word).await
    }

    async fn said_within(time: Duration, stream: &mut TcpStream, word: &[u8; 4]) -> std::io::Result<bool> {
        stream.write_all(word).await?;
        let mut back = [0; 4];
        match tokio::time::timeout(time, stream.read_exact(&mut back)).await {
            Ok(read) => read.map(|_| back == *word),
            Err(_) => Ok(false),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_follows_on_what_was_lost() {
        for _ in 0..50 {
            let proxy = Proxy::open("test").await.unwrap();
            proxy.lead(Some(Target::Tcp(echo().await)));
            let (mut from, mut to) = TcpStream::connect(proxy.address()).await.unwrap().into_split();
            let saying = tokio::spawn(async move {
                for number in 0..u32::MAX {
                    if to.write_all(&number.to_be_bytes()).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            });
            let mut next = 0;
            let mut number = [0; 4];
            // On a busy machine the loss may be over before anything was lost: then the connection goes on, whole.
            while next < 10_000 && from.read_exact(&mut number).await.is_ok() {
                assert_eq!(u32::from_be_bytes(number), next, "what came before was lost");
                next += 1;
                match next {
                    100 => proxy.set(Weather::HalfOpen),
                    // What was under way when it began still comes.
                    _ if next > 100 => {}
                    _ => continue,
                }
                let more = tokio::time::timeout(Duration::from_millis(5), from.peek(&mut [0])).await;
                if more.is_err() {
                    proxy.set(Weather::Clear);
                }
            }
            saying.abort();
            assert!(next >= 100);
        }
    }

    #[tokio::test]
    async fn each_weather_does_what_it_says() {
        let proxy = Proxy::open("test").await.unwrap();
        proxy.lead(Some(Target::Tcp(echo().await)));
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(said(&mut stream, b"one.").await.unwrap());
        proxy.set(Weather::Delay(Duration::from_millis(20)));
        assert!(said(&mut stream, b"two.").await.unwrap());
        proxy.set(Weather::Trickle);
        assert!(said(&mut stream, b"tri.").await.unwrap());

        proxy.set(Weather::Stall);
        assert!(!said_soon(&mut stream, b"late").await.unwrap());
        proxy.set(Weather::Clear);
        let mut back = [0; 4];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"late", "a stall loses nothing");

        proxy.set(Weather::HalfOpen);
        assert!(!said_soon(&mut stream, b"lost").await.unwrap());
        proxy.set(Weather::Clear);
        assert!(
            !said_soon(&mut stream, b"gone").await.unwrap_or(false),
            "what lost bytes is no connection any more"
        );

        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(said(&mut stream, b"new.").await.unwrap());
        proxy.set(Weather::Cut);
        assert!(!said_soon(&mut stream, b"gone").await.unwrap_or(false));
    }
}
