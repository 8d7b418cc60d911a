//! A phone's way to the server: a proxy of bytes on loopback, which can be cut like a mobile network in a basement, go deaf in
//! one direction, or be as slow as a village's.
//!
//! The phone joins by the proxy's address and never learns another one. TLS runs through it from end to end, so it can lose
//! and delay bytes but not read or change them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::fail;
use crate::failure::Failure;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the phone to the server.
    Up,
    /// From the server to the phone.
    Down,
}

/// What the network lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passing {
    /// Everything.
    All,
    /// Nothing; connections end.
    Nothing,
    /// Only what goes the other way; connections stay, and nobody is told.
    AllBut(Direction),
    /// So many more bytes on the way to the phone; then that connection ends, once, and everything passes again.
    ThenCut(u64),
}

/// How fast it is.
#[derive(Debug, Clone, Copy)]
struct Speed {
    /// In each direction; none: as fast as it goes.
    bytes_per_second: Option<u32>,
    /// From one end to the other.
    delay: Duration,
}

#[derive(Debug)]
struct State {
    passing: Passing,
    speed: Speed,
    open: Vec<TcpStream>,
    cuts: u32,
    connections: u32,
    passed: (u64, u64),
}

/// A phone's network.
#[derive(Debug)]
pub struct Network {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Network {
    /// A way to the server at this address.
    pub fn to(server: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            passing: Passing::All,
            speed: Speed {
                bytes_per_second: None,
                delay: Duration::ZERO,
            },
            open: Vec::new(),
            cuts: 0,
            connections: 0,
            passed: (0, 0),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (state.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for phone in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // A connection that fails is what networks do.
                if let Ok(phone) = phone {
                    drop(connect(&phone, server, &shared));
                }
            }
        });
        Ok(Self {
            address,
            state,
            stop,
            thread: Some(thread),
        })
    }

    /// The address that the phone knows.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// No network from now on.
    pub fn cut(&self) {
        cut(&mut locked(&self.state), Passing::Nothing);
    }

    /// The network is back. Connections that lost something meanwhile end.
    pub fn restore(&self) {
        let mut state = locked(&self.state);
        match state.passing {
            Passing::AllBut(_) => cut(&mut state, Passing::All),
            _ => state.passing = Passing::All,
        }
    }

    /// Lets so many more bytes through to the phone and then ends that connection, once.
    pub fn cut_after(&self, bytes: u64) {
        locked(&self.state).passing = Passing::ThenCut(bytes);
    }

    /// From now on what goes this way is lost, and nobody is told.
    pub fn lose(&self, direction: Direction) {
        locked(&self.state).passing = Passing::AllBut(direction);
    }

    /// From now on it is as slow as this, in each direction, and a byte's way there and back takes so long.
    pub fn slow(&self, bytes_per_second: u32, round_trip: Duration) {
        locked(&self.state).speed = Speed {
            bytes_per_second: Some(bytes_per_second),
            delay: round_trip / 2,
        };
    }

    /// How often connections were ended.
    pub fn cuts(&self) -> u32 {
        locked(&self.state).cuts
    }

    /// How many connections the phone began.
    pub fn connections(&self) -> u32 {
        locked(&self.state).connections
    }

    /// How many bytes arrived at the server, and at the phone.
    pub fn passed(&self) -> (u64, u64) {
        locked(&self.state).passed
    }

    /// Does what a line of text says: `cut`, `restore`, `lose-up`, `lose-down`, `cut-after BYTES`, `slow BYTES_PER_SECOND
    /// ROUND_TRIP_MS`.
    pub fn obey(&self, line: &str) -> Result<(), Failure> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["cut"] => self.cut(),
            ["restore"] => self.restore(),
            ["lose-up"] => self.lose(Direction::Up),
            ["lose-down"] => self.lose(Direction::Down),
            ["cut-after", bytes] => self.cut_after(bytes.parse()?),
            ["slow", bytes, ms] => self.slow(bytes.parse()?, Duration::from_millis(ms.parse()?)),
            _ => fail!("a network cannot {line:?}"),
        }
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.cut();
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn locked(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cut(state: &mut State, passing: Passing) {
    state.passing = passing;
    state.cuts += 1;
    for stream in state.open.drain(..) {
        drop(stream.shutdown(Shutdown::Both));
    }
}

fn connect(
    phone: &TcpStream,
    server: SocketAddr,
    state: &Arc<Mutex<State>>,
) -> std::io::Result<()> {
    if locked(state).passing == Passing::Nothing {
        return phone.shutdown(Shutdown::Both);
    }
    let server = TcpStream::connect(server)?;
    phone.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let both = [phone.try_clone()?, server.try_clone()?];
    {
        let mut state = locked(state);
        state.open.extend(both);
        state.connections += 1;
    }
    for (direction, from, to) in [
        (Direction::Up, phone.try_clone()?, server.try_clone()?),
        (Direction::Down, server, phone.try_clone()?),
    ] {
        let state = state.clone();
        std::thread::spawn(move || drop(forward(direction, from, to, &state)));
    }
    Ok(())
}

/// What becomes of some bytes.
enum Fate {
    Pass,
    Lose,
    /// So many of them pass; then the connection ends.
    Cut(usize),
}

fn fate(state: &Mutex<State>, direction: Direction, bytes: usize) -> Fate {
    let mut state = locked(state);
    match state.passing {
        Passing::AllBut(lost) if lost == direction => Fate::Lose,
        Passing::ThenCut(left) if direction == Direction::Down => {
            match left.checked_sub(bytes as u64) {
                Some(left) => {
                    state.passing = Passing::ThenCut(left);
                    Fate::Pass
                }
                None => {
                    state.passing = Passing::All;
                    state.cuts += 1;
                    Fate::Cut(usize::try_from(left).unwrap_or(bytes))
                }
            }
        }
        _ => Fate::Pass,
    }
}

/// Reads at one end and, on a thread of its own, writes at the other when the bytes have made their way.
fn forward(
    direction: Direction,
    mut from: TcpStream,
    mut to: TcpStream,
    state: &Arc<Mutex<State>>,
) -> std::io::Result<()> {
    let (send, arriving) = sync_channel::<(Instant, Option<Vec<u8>>)>(1_024);
    let (shared, source) = (state.clone(), from.try_clone()?);
    let writing = std::thread::spawn(move || -> std::io::Result<()> {
        for (at, bytes) in arriving {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            let Some(bytes) = bytes else {
                return to.shutdown(Shutdown::Write);
            };
            match fate(&shared, direction, bytes.len()) {
                Fate::Pass => {
                    to.write_all(&bytes)?;
                    let mut state = locked(&shared);
                    match direction {
                        Direction::Up => state.passed.0 += bytes.len() as u64,
                        Direction::Down => state.passed.1 += bytes.len() as u64,
                    }
                }
                Fate::Lose => {}
                Fate::Cut(few) => {
                    to.write_all(&bytes[..few])?;
                    to.shutdown(Shutdown::Both)?;
                    return source.shutdown(Shutdown::Both);
                }
            }
        }
        Ok(())
    });
    let mut buffer = vec![0; 64 << 10];
    // When the last byte so far has left this end.
    let mut left = Instant::now();
    'reading: loop {
        let read = from.read(&mut buffer)?;
        // As it is when the bytes set out.
        let speed = locked(state).speed;
        let at_once = speed.bytes_per_second.map_or(buffer.len(), |_| 1_024);
        left = left.max(Instant::now());
        for bytes in buffer[..read].chunks(at_once) {
            if let Some(rate) = speed.bytes_per_second {
                left += Duration::from_secs_f64(bytes.len() as f64 / f64::from(rate.max(1)));
            }
            if send
                .send((left + speed.delay, Some(bytes.to_vec())))
                .is_err()
            {
                break 'reading;
            }
        }
        if read == 0 {
            drop(send.send((left + speed.delay, None)));
            break;
        }
    }
    writing.join().unwrap_or(Ok(()))
}
