//! A server that speaks TLS well, reads the request, and then answers as no Sotay server does: hotel networks, broken
//! proxies, and a server that dies in the middle of a sentence.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sotay_model::wire::{MAX_RESPONSE_BYTES, MEDIA_TYPE};

use crate::failure::Failure;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A web page with status 200, as a network that wants people to sign in sends.
    Html,
    /// Status 500 without a body.
    Status500,
    /// The head of a good answer and half of the announced body.
    Half,
    /// The connection is closed without an answer.
    Nothing,
    /// A good head, and a body that is no answer.
    Garbage,
    /// A good head, and a small body that unpacks to more than any answer may have.
    Bomb,
    /// A good head that announces more than any answer may have, and a body that goes on and on.
    Flood,
    /// Status 503, with the wish to be left alone for [`BUSY_SECONDS`].
    Busy,
}

/// For how long a busy server wants to be left alone.
pub const BUSY_SECONDS: u64 = 2;

impl Fault {
    /// All of them, with their words.
    pub const ALL: [(&'static str, Self); 8] = [
        ("html", Self::Html),
        ("500", Self::Status500),
        ("half", Self::Half),
        ("nothing", Self::Nothing),
        ("garbage", Self::Garbage),
        ("bomb", Self::Bomb),
        ("flood", Self::Flood),
        ("busy", Self::Busy),
    ];
}

impl FromStr for Fault {
    type Err = Failure;

    fn from_str(word: &str) -> Result<Self, Failure> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word);
        found.map(|(_, fault)| *fault).ok_or_else(|| {
            Failure(format!(
                "{word:?} is none of html, 500, half, nothing, garbage, bomb, flood, busy"
            ))
        })
    }
}

/// A running one; stops when dropped.
#[derive(Debug)]
pub struct FaultServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FaultServer {
    /// Listens and answers everybody in this way, under the given certificate.
    pub fn start(
        listen: SocketAddr,
        fault: Fault,
        tls: Arc<ServerConfig>,
    ) -> Result<Self, Failure> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let tls = tls.clone();
                if let Ok(stream) = stream {
                    std::thread::spawn(move || {
                        // A phone that hangs up early is no fault of ours.
                        drop(answer(stream, fault, tls));
                    });
                }
            }
        });
        Ok(Self {
            address,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread up, which waits for somebody to connect.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A certificate of nobody's, for 127.0.0.1 and localhost.
pub fn self_signed() -> Result<Arc<ServerConfig>, Failure> {
    let hosts = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(hosts)?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .map_err(|error| Failure(error.to_owned()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.into()], key)?;
    Ok(Arc::new(config))
}

fn answer(stream: TcpStream, fault: Fault, tls: Arc<ServerConfig>) -> Result<(), Failure> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut stream = StreamOwned::new(ServerConnection::new(tls)?, stream);
    read_request(&mut stream)?;
    let page = "<!doctype html><title>Wi-Fi</title><p>Mời quý khách đăng nhập.";
    match fault {
        Fault::Html => {
            let head = head("200 OK", "text/html; charset=utf-8", page.len());
            stream.write_all(format!("{head}{page}").as_bytes())?;
        }
        Fault::Status500 => {
            stream.write_all(head("500 Internal Server Error", "text/plain", 0).as_bytes())?;
        }
        Fault::Busy => {
            let head = head("503 Service Unavailable", "text/plain", 0);
            let (status, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
            let answer = format!("{status}\r\nretry-after: {BUSY_SECONDS}\r\n{rest}");
            stream.write_all(answer.as_bytes())?;
        }
        Fault::Half => {
            stream.write_all(head("200 OK", MEDIA_TYPE, 4_096).as_bytes())?;
            stream.write_all(&[0xa0; 2_048])?;
        }
        Fault::Nothing => return Ok(()),
        Fault::Garbage => {
            stream.write_all(head("200 OK", MEDIA_TYPE, 64).as_bytes())?;
            stream.write_all(&[0xff; 64])?;
        }
        Fault::Bomb => {
            let bomb = bomb();
            let head = head("200 OK", MEDIA_TYPE, bomb.len());
            let (status, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
            let head = format!("{status}\r\ncontent-encoding: zstd\r\n{rest}");
            stream.write_all(head.as_bytes())?;
            stream.write_all(&bomb)?;
        }
        Fault::Flood => {
            stream.write_all(head("200 OK", MEDIA_TYPE, 4 * MAX_RESPONSE_BYTES).as_bytes())?;
            for _ in 0..4 * MAX_RESPONSE_BYTES / ZEROS.len() {
                stream.write_all(&ZEROS)?;
            }
        }
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(())
}

static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// A zstd frame (RFC 8878) of blocks that each stand for 128 KiB of zeros: 128 MiB in 4 KiB.
fn bomb() -> Vec<u8> {
    const BLOCKS: u32 = 1_024;
    const REPEATED: u32 = 1 << 1;
    // Magic number, no options, and a window of 1 MiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50];
    for block in 1..=BLOCKS {
        let header = (1 << 17 << 3) | REPEATED | u32::from(block == BLOCKS);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}

fn head(status: &str, media_type: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
}

/// Reads one request to its end, so that closing the connection does not look like a refusal to read it.
fn read_request(stream: &mut impl Read) -> Result<(), Failure> {
    let mut received = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        received.extend_from_slice(&buffer[..read]);
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse::<usize>().ok())
            .unwrap_or(0);
        if received.len() >= end + 4 + length {
            return Ok(());
        }
    }
}
