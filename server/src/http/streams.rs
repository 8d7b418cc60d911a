//! Who listens for wake-ups: how many streams each phone has open, and all of them together.
//!
//! A phone that lost its connection does not know that the server still holds the old one, so its newest stream takes the place
//! of its oldest. All streams together leave connections to requests, however many phones listen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sotay_model::InstallationId;
use tokio::sync::oneshot;

/// The most streams of one phone.
pub const STREAMS_PER_PHONE: usize = 2;

/// The streams that are open.
pub(super) struct Streams {
    most: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    count: usize,
    next: u64,
    /// The oldest first.
    of: HashMap<InstallationId, Vec<(u64, oneshot::Sender<()>)>>,
}

/// One of the places, until it is dropped.
pub(super) struct Place {
    streams: Arc<Streams>,
    phone: InstallationId,
    number: u64,
    taken: oneshot::Receiver<()>,
}

impl Streams {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: Mutex::default(),
        }
    }

    /// A place for a stream of this phone: its oldest one's if it has too many; none where all are taken by others.
    pub(super) fn take(self: &Arc<Self>, phone: InstallationId) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let has = open.of.get(&phone).map_or(0, Vec::len);
        if has >= STREAMS_PER_PHONE {
            open.end_oldest(phone);
        }
        if open.count >= self.most {
            return None;
        }
        let number = open.next;
        let (end, taken) = oneshot::channel();
        open.next += 1;
        open.count += 1;
        open.of.entry(phone).or_default().push((number, end));
        Some(Place {
            streams: self.clone(),
            phone,
            number,
            taken,
        })
    }
}

impl Open {
    fn end_oldest(&mut self, phone: InstallationId) {
        let oldest = self.of.get(&phone).and_then(|streams| streams.first());
        if let Some(number) = oldest.map(|(number, _)| *number) {
            self.end(phone, number);
        }
    }

    /// Whoever holds the place learns of it by the sender that is dropped.
    fn end(&mut self, phone: InstallationId, number: u64) {
        let Some(streams) = self.of.get_mut(&phone) else {
            return;
        };
        let before = streams.len();
        streams.retain(|(known, _)| *known != number);
        self.count -= before - streams.len();
        if streams.is_empty() {
            self.of.remove(&phone);
        }
    }
}

impl Place {
    /// Returns when a newer stream of the phone has taken it.
    pub(super) async fn taken(&mut self) {
        // Nothing is ever sent: the other end is dropped.
        drop((&mut self.taken).await);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = (self.streams.open.lock()).unwrap_or_else(PoisonError::into_inner);
        open.end(self.phone, self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use sotay_model::Id;

    fn phone(n: u8) -> InstallationId {
        InstallationId(Id::from_bytes([n; 16]))
    }

    fn is_taken(place: &mut Place) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(place.taken()).poll(&mut context).is_ready()
    }

    #[test]
    fn server_a_phone_s_newest_stream_takes_the_place_of_its_oldest() {
        let streams = Arc::new(Streams::new(3));
        let mut own: Vec<Place> = (0..STREAMS_PER_PHONE)
            .map(|_| streams.take(phone(1)).unwrap())
            .collect();
        let _other = streams.take(phone(2)).unwrap();
        // All are taken, and it still gets one: its own.
        own.push(streams.take(phone(1)).unwrap());
        let taken: Vec<bool> = own.iter_mut().map(is_taken).collect();
        assert_eq!(taken, [true, false, false]);
        assert!(streams.take(phone(3)).is_none());
    }

    #[test]
    fn server_a_place_is_free_once_its_stream_has_ended_and_counts_once() {
        let streams = Arc::new(Streams::new(2));
        let first = streams.take(phone(1)).unwrap();
        let second = streams.take(phone(1)).unwrap();
        let third = streams.take(phone(1)).unwrap();
        assert!(streams.take(phone(2)).is_none());
        // Its place is the third's already.
        drop(first);
        assert!(streams.take(phone(2)).is_none());
        drop(second);
        let other = streams.take(phone(2)).unwrap();
        assert!(streams.take(phone(3)).is_none());
        drop((third, other));
        let open = streams.open.lock().unwrap();
        assert_eq!((open.count, open.of.len()), (0, 0));
    }
}
