//! Nothing inside is reached: each case is tried against a trap that would notice a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Addresses that lead inside, as hosts of a URL: every notation that some parser reads.
const INSIDE: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.0x1",
    "127.0.0.1.",
    "0.0.0.0",
    "0",
    "0.0.0.1",
    "10.0.0.1",
    "10.255.255.255",
    "0xa.0.0.1",
    "012.0.0.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.168.1.254",
    "0xc0a80001",
    "3232235521",
    "169.254.169.254",
    "169.254.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.254",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::a9fe:a9fe]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fdff::1]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[3fff::1]",
    "[3ffe::1]",
    "[5f00::1]",
    "[100::1]",
    "[4000::1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
];

/// Addresses that are no web addresses.
const NO_ADDRESS: &[&str] = &[
    "file:///etc/passwd",
    "ftp://e.org/",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/",
    "ldap://127.0.0.1/",
    "data:text/html,x",
    "javascript:alert(1)",
    "unix:/var/run/docker.sock",
    "http://",
    "//127.0.0.1",
    "127.0.0.1",
    "",
    "http://user@1.1.1.1/",
    "http://user:secret@1.1.1.1/",
    "http://1.1.1.1:22/",
    "http://1.1.1.1:6379/",
    "http://1.1.1.1:0/",
    "https://1.1.1.1:8443/",
    "http://1.1.1.1:99999/",
    "http://[::1",
    "http://256.256.256.256/",
    "http://1.1.1.1 /",
];

#[tokio::test]
async fn nothing_inside_is_connected_to() {
    let egress = Egress::new(Vec::new());
    let mut tried = 0;
    for host in INSIDE {
        for address in [format!("http://{host}/"), format!("https://{host}/x")] {
            let Ok(url) = Url::parse(&address) else { continue };
            tried += 1;
            let refused = egress.checked(&url).await;
            assert!(refused.is_err(), "{address} is {refused:?}");
        }
    }
    for address in NO_ADDRESS {
        tried += 1;
        assert!(egress.get(address, &["text/html"]).await.is_err(), "{address:?}");
    }
    assert!(tried >= 80, "{tried}");
}

#[tokio::test]
async fn what_is_outside_may_be_asked() {
    let egress = Egress::new(Vec::new());
    for address in [
        "http://1.1.1.1/",
        "https://8.8.8.8/x",
        "http://172.32.0.1/",
        "http://100.128.0.1/",
        "http://[2606:4700::1111]/",
        "http://[::ffff:1.1.1.1]/",
        "http://[2a00:1450::1]/",
        "http://16843009/",
    ] {
        let url = Url::parse(address).expect("an address");
        assert!(egress.checked(&url).await.is_ok(), "{address}");
    }
}

/// A server that counts who connects and answers each with `answer`.
async fn trap(answer: String) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, count) = (listener.local_addr().expect("an address"), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = [0_u8; 2_048];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (address, count)
}

fn page(kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_trap_inside_sees_nobody_and_an_allowed_address_answers() {
    let (inside, count) = trap(page("text/html", "secret")).await;
    let port = inside.port();
    let blind = Egress::new(Vec::new());
    let (other, _) = trap(String::new()).await;
    // Another inside address is allowed: that opens no port and no address beside it.
    let narrow = Egress::new(vec![other]);
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "127.1",
        "0.0.0.0",
    ] {
        for egress in [&blind, &narrow] {
            let address = format!("http://{host}:{port}/");
            assert!(egress.get(&address, &["text/html"]).await.is_err(), "{address}");
        }
    }
    assert!(
        narrow.get("http://127.0.0.1/", &["text/html"]).await.is_err(),
        "port 80 there was never allowed"
    );
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let open = Egress::new(vec![inside]);
    let fetched = open.get(&format!("http://{inside}/"), &["text/html"]).await;
    assert_eq!(fetched.map(|it| it.body).ok().as_deref(), Some(&b"secret"[..]));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn every_redirect_is_checked_and_counted() {
    let (inside, count) = trap(page("text/html", "secret")).await;
    for to in [
        format!("http://{inside}/"),
        format!("http://localhost:{}/", inside.port()),
        format!("//127.0.0.1:{}/", inside.port()),
        format!("http://[::ffff:127.0.0.1]:{}/", inside.port()),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://127.0.0.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:6379/".to_owned(),
        "http://a:b@1.1.1.1/".to_owned(),
    ] {
        let (door, seen) = trap(redirect(&to)).await;
        let egress = Egress::new(vec![door]);
        assert!(egress.get(&format!("http://{door}/"), &["text/html"]).await.is_err(), "{to}");
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
    let (circle, seen) = trap(redirect("/again")).await;
    let refused = Egress::new(vec![circle]).get(&format!("http://{circle}/"), &["text/html"]).await;
    assert_eq!(refused.err(), Some(Refusal::Answer("too many redirects")));
    assert_eq!(seen.load(Ordering::SeqCst), 1 + REDIRECTS);
}

#[tokio::test]
async fn other_types_long_answers_and_slow_ones_end() {
    for kind in ["application/json", "image/png", "text/plain", "text/htmlx", ""] {
        let (address, _) = trap(page(kind, "{}")).await;
        let refused = Egress::new(vec![address]).get(&format!("http://{address}/"), &["text/html"]).await;
        assert_eq!(refused.err(), Some(Refusal::Answer("another type")), "{kind}");
    }
    let (address, _) = trap(page("Text/HTML; charset=utf-8", &"x".repeat(MOST_BYTES + 5_000))).await;
    let fetched = Egress::new(vec![address]).get(&format!("http://{address}/"), &["text/html"]).await;
    assert_eq!(fetched.ok().map(|it| it.body.len()), Some(MOST_BYTES));
    // Promises more than it sends, and keeps the connection.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let held = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a caller");
        let mut asked = [0_u8; 2_048];
        let _ = stream.read(&mut asked).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 900000\r\n\r\n<";
        let _ = stream.write_all(head.as_bytes()).await;
        std::future::pending::<()>().await;
    });
    let started = std::time::Instant::now();
    let refused = Egress::new(vec![address]).get(&format!("http://{address}/"), &["text/html"]).await;
    assert!(matches!(refused.err(), Some(Refusal::Slow | Refusal::Unreachable)));
    assert!(started.elapsed() >= PATIENCE && started.elapsed() < PATIENCE * 2, "{:?}", started.elapsed());
    held.abort();
}
