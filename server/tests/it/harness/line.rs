//! A line to a server that a test cuts and mends.

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Whoever connects to its address is connected to the server behind it, unless it is cut.
pub struct Line {
    address: String,
    is_whole: watch::Sender<bool>,
}

impl Line {
    /// To the server at `address`, a host and a port.
    pub async fn to(address: &str) -> Self {
        let server = address.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its port").to_string();
        let (is_whole, watched) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), watched.clone()));
            }
        });
        Self { address, is_whole }
    }

    /// Host and port of this end.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends all connections, and refuses others.
    pub fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Lets through who connects from now on.
    pub fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn pass(mut client: TcpStream, server: String, mut is_whole: watch::Receiver<bool>) {
    let pass = async {
        if let Ok(mut server) = TcpStream::connect(server).await {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    };
    tokio::select! {
        () = pass => {}
        _ = is_whole.wait_for(|is_whole| !is_whole) => {}
    }
}
