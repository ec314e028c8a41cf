//! The client against a resolver that lies and against servers that misbehave.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::outbound::Allowed;
use crate::outbound::resolver::Found;

/// Answers each look-up with the next list of addresses, and the last one for ever.
struct Liar {
    lists: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Liar {
    fn of(lists: &[&[&str]]) -> Arc<Liar> {
        let list = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Liar {
            lists: Mutex::new(lists.iter().map(list).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Lookup for Liar {
    fn look_up(&self, _: &str) -> Found {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut lists = self.lists.lock().unwrap();
        let list = if 1 < lists.len() { lists.pop_front() } else { lists.front().cloned() };
        Box::pin(async move { Ok(list.unwrap_or_default()) })
    }
}

fn outbound(allowed: &[&str], lookup: Arc<dyn Lookup>, timeout_ms: u64) -> Outbound {
    let allowed = allowed.iter().map(|text| Allowed::parse(text).unwrap()).collect();
    Outbound::new(ClientOptions {
        guard: Guard::new(allowed),
        lookup,
        timeout: Duration::from_millis(timeout_ms),
        roots: Vec::new(),
        user_agent: "Tillbook-Hook/test".to_owned(),
    })
    .unwrap()
}

fn message(url: &str) -> Message {
    Message {
        method: Method::POST,
        url: url.to_owned(),
        headers: vec![("event".into(), "ping".into())],
        body: "{}".into(),
    }
}

/// A server that counts its connections and gives each the same bytes, over and over if `endless`.
async fn server(answer: &'static str, endless: bool) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut request = [0; 4_096];
                let mut sent = stream.read(&mut request).await.and(Ok(()));
                while sent.is_ok() && !answer.is_empty() {
                    sent = stream.write_all(answer.as_bytes()).await;
                    if !endless {
                        break;
                    }
                }
                // Until the client goes.
                while let Ok(1..) = stream.read(&mut request).await {}
            });
        }
    });
    (port, connections)
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn no_forbidden_address_is_ever_connected_to() {
    run(async {
        let (port, connections) =
            server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
        let public: &[&str] = &["93.184.215.14"];
        let lists: [&[&[&str]]; 6] = [
            &[&["127.0.0.1"]],
            &[&["::ffff:127.0.0.1"]],
            &[&["93.184.215.14", "127.0.0.1"]],
            &[&["127.0.0.1", "93.184.215.14"]],
            &[&["64:ff9b::7f00:1"]],
            // Resolved twice, a guard that judges the first answer would connect to the second.
            &[&["10.0.0.1"], &["127.0.0.1"]],
        ];
        for list in lists {
            let liar = Liar::of(list);
            for scheme in ["http", "https"] {
                let sent = outbound(&[], liar.clone(), 5_000);
                let url = format!("{scheme}://shop.example:{port}/");
                let why = sent.send(message(&url)).await.unwrap_err();
                assert!(why.0.contains("--webhook-allow"), "{list:?}: {why}");
            }
        }
        // A public answer is connected to, and the second, private one is never asked for.
        let liar = Liar::of(&[public, &["127.0.0.1"]]);
        let sent = outbound(&[], liar.clone(), 50);
        sent.send(message(&format!("https://shop.example:{port}/"))).await.unwrap_err();
        assert_eq!(liar.asked.load(Ordering::SeqCst), 1);
        assert_eq!(connections.load(Ordering::SeqCst), 0, "the guard let a connection through");
    });
}

#[test]
fn an_allowed_network_is_connected_to_without_tls() {
    run(async {
        let (port, _) = server("HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n", false).await;
        let sent = outbound(&["127.0.0.0/8", "10.0.0.0/8"], Liar::of(&[&["127.0.0.1"]]), 5_000);
        let answer = sent.send(message(&format!("http://shop.example:{port}/"))).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        assert_eq!(answer.headers, [("x-a".to_owned(), "b".to_owned())]);
        // A public address is not in the allowed network, and the URL is not https.
        let sent = outbound(&["127.0.0.0/8", "10.0.0.0/8"], Liar::of(&[&["93.184.215.14"]]), 5_000);
        let why = sent.send(message("http://shop.example/")).await.unwrap_err();
        assert!(why.0.contains("https is required for 93.184.215.14"), "{why}");
    });
}

#[test]
fn a_redirect_is_not_followed() {
    run(async {
        let (target, visits) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false).await;
        let answer = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{target}/\r\n\
             content-length: 0\r\n\r\n"
        );
        let (port, _) = server(answer.leak(), false).await;
        let sent = outbound(&["127.0.0.1"], Liar::of(&[]), 5_000);
        let answer = sent.send(message(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
        assert_eq!(answer.status, 307);
        assert_eq!(visits.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn an_endless_answer_is_left_after_64_kib() {
    run(async {
        // Ten gigabytes are announced, and the same line comes until the connection is closed.
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n";
        let line = "0123456789abcdef".repeat(1_024);
        let (port, _) = server(format!("{head}{line}").leak(), true).await;
        let sent = outbound(&["127.0.0.1"], Liar::of(&[]), 600_000);
        let answer = sent.send(message(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, KEPT_BYTES_MAX));
    });
}

#[test]
fn a_server_that_does_not_answer_is_left_in_time() {
    run(async {
        let sent = outbound(&["127.0.0.1"], Liar::of(&[]), 100);
        let (silent, _) = server("", false).await;
        let why = sent.send(message(&format!("http://127.0.0.1:{silent}/"))).await.unwrap_err();
        assert!(why.0.contains("no answer"), "{why}");
        // The head came, so the outcome is known although the body never ends.
        let (slow, _) = server("HTTP/1.1 500 No\r\ncontent-length: 9\r\n\r\nhalf", false).await;
        let answer = sent.send(message(&format!("http://127.0.0.1:{slow}/"))).await.unwrap();
        assert_eq!(answer.status, 500);
    });
}

/// A server that sends this, and then one byte at a time for ever.
async fn slow_server(begin: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4_096];
        assert!(0 < stream.read(&mut request).await.unwrap());
        let mut sent = stream.write_all(begin.as_bytes()).await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
            sent = stream.write_all(b"x").await;
        }
    });
    port
}

#[test]
fn a_server_that_sends_one_byte_at_a_time_is_left_in_time() {
    run(async {
        let sent = outbound(&["127.0.0.1"], Liar::of(&[]), 300);
        let port = slow_server("HTTP/1.1 200 OK\r\nx-slow: ").await;
        let why = sent.send(message(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
        assert!(why.0.contains("no answer"), "{why}");
        let port = slow_server("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
        let answer = sent.send(message(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
        assert_eq!(answer.status, 200);
    });
}

/// A server with this certificate, which answers one request with a 200 if the client trusts it.
fn tls_server(certificate: &'static str) -> u16 {
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../tests/tls/server.key.pem"));
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.unwrap())
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        let mut request = [0; 4_096];
        // The handshake fails if the client does not trust the certificate.
        if matches!(stream.read(&mut request), Ok(1..)) {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    });
    port
}

#[test]
fn only_a_trusted_certificate_of_the_host_is_sent_to() {
    const AUTHORITY: &str = include_str!("../../tests/tls/authority.pem");
    const GOOD: &str = include_str!("../../tests/tls/good.pem");
    let cases = [
        (GOOD, AUTHORITY, None),
        (GOOD, "", Some("UnknownIssuer")),
        (include_str!("../../tests/tls/other_host.pem"), AUTHORITY, Some("not valid for name")),
        (include_str!("../../tests/tls/expired.pem"), AUTHORITY, Some("expired")),
        (include_str!("../../tests/tls/self_signed.pem"), AUTHORITY, Some("UnknownIssuer")),
    ];
    run(async {
        for (certificate, authority, expected) in cases {
            let roots = CertificateDer::pem_slice_iter(authority.as_bytes());
            let sent = Outbound::new(ClientOptions {
                guard: Guard::new(vec![Allowed::parse("127.0.0.0/8").unwrap()]),
                lookup: Liar::of(&[&["127.0.0.1"]]),
                timeout: Duration::from_secs(30),
                roots: roots.map(Result::unwrap).collect(),
                user_agent: "Tillbook-Hook/test".to_owned(),
            });
            let url = format!("https://shop.example:{}/", tls_server(certificate));
            let result = sent.unwrap().send(message(&url)).await;
            match expected {
                None => assert_eq!(result.unwrap().status, 200),
                Some(why) => {
                    let told = result.unwrap_err().0;
                    assert!(told.contains(why) && !told.contains("shop.example:"), "{told}");
                }
            }
        }
    });
}

#[test]
fn certificates_are_read_from_a_pem_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    assert_eq!(Outbound::read_roots(&folder.join("authority.pem")).unwrap().len(), 1);
    for wrong in ["README.md", "server.key.pem", "missing.pem"] {
        let why = Outbound::read_roots(&folder.join(wrong)).unwrap_err();
        assert!(why.0.contains("has no certificates in PEM form"), "{wrong}: {why}");
    }
}

#[test]
fn an_error_names_its_cause_and_no_url() {
    run(async {
        let sent = outbound(&["127.0.0.1"], Liar::of(&[]), 5_000);
        // Nothing listens on a port that was just given back.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/?token=hunter2");
        let why = sent.send(message(&url)).await.unwrap_err();
        assert!(why.0.contains("refused") && !why.0.contains("hunter2"), "{why}");
        // The server speaks no TLS.
        let (plain, _) = server("HTTP/1.1 200 OK\r\n\r\n", false).await;
        let url = format!("https://127.0.0.1:{plain}/");
        assert!(sent.send(message(&url)).await.is_err());
    });
}
