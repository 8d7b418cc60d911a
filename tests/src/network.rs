//! A phone's way to the server: a proxy of bytes on loopback, which can be cut like a mobile network in a basement.
//!
//! The phone joins by the proxy's address and never learns another one. TLS runs through it from end to end, so it can lose
//! and delay bytes but not read or change them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::failure::Failure;

/// What the network lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passing {
    /// Everything.
    All,
    /// Nothing; connections end.
    Nothing,
    /// So many more bytes on the way to the phone; then that connection ends, once, and everything passes again.
    ThenCut(u64),
}

#[derive(Debug)]
struct State {
    passing: Passing,
    open: Vec<TcpStream>,
    cuts: u32,
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
            open: Vec::new(),
            cuts: 0,
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

    /// The network is back.
    pub fn restore(&self) {
        locked(&self.state).passing = Passing::All;
    }

    /// Lets so many more bytes through to the phone and then ends that connection, once.
    pub fn cut_after(&self, bytes: u64) {
        locked(&self.state).passing = Passing::ThenCut(bytes);
    }

    /// How often connections were ended.
    pub fn cuts(&self) -> u32 {
        locked(&self.state).cuts
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
    locked(state).open.extend(both);
    let (from_phone, to_server) = (phone.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        drop(forward(from_phone, to_server, |_| None));
    });
    let (to_phone, state) = (phone.try_clone()?, state.clone());
    std::thread::spawn(move || {
        drop(forward(server, to_phone, |bytes| allowed(&state, bytes)));
    });
    Ok(())
}

/// How many of the bytes may pass before the cut; none: all of them.
fn allowed(state: &Mutex<State>, bytes: usize) -> Option<usize> {
    let mut state = locked(state);
    let Passing::ThenCut(left) = state.passing else {
        return None;
    };
    match left.checked_sub(bytes as u64) {
        Some(left) => {
            state.passing = Passing::ThenCut(left);
            None
        }
        None => usize::try_from(left).ok(),
    }
    .inspect(|_| {
        state.passing = Passing::All;
        state.cuts += 1;
    })
}

fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    allowed: impl Fn(usize) -> Option<usize>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return to.shutdown(Shutdown::Write);
        }
        match allowed(read) {
            None => to.write_all(&buffer[..read])?,
            Some(few) => {
                to.write_all(&buffer[..few])?;
                to.shutdown(Shutdown::Both)?;
                return from.shutdown(Shutdown::Both);
            }
        }
    }
}
