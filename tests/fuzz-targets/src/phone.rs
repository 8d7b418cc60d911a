//! A server's answer, applied by the phone's engine to its database.

use std::cell::RefCell;
use std::sync::Arc;

use sotay_client::simulation::{Fault, Files, Held, Phone, Round, SimulatedDisk};
use sotay_disk::{Disk, Snapshot};
use sotay_model::{Id, InstallationId, MemberId, OrganisationId, Timestamp, cbor};

use crate::seeds;

const ROOT: [u8; 32] = [5; 32];
const ME: MemberId = MemberId(Id::from_bytes([0x11; 16]));

/// A phone that stands where every input begins.
struct Ready {
    _disk: Disk,
    phone: Phone,
}

/// Where every input begins: a phone that joined, received a page and has an answer to send.
struct Ground {
    files: Snapshot,
    held: Held,
}

fn opened(disk: &Disk) -> Phone {
    let files = Files {
        folder: disk.root().into(),
        disk: Arc::new(SimulatedDisk(disk.clone())),
        cipher: false,
    };
    Phone::open(&files, &ROOT).expect("a phone opens")
}

fn round(phone: &Phone) -> Round {
    let mut round = Round::new(6_000, 0, 256);
    phone.next_request(&mut round).expect("a request");
    round
}

impl Ground {
    fn make() -> Self {
        let disk = Disk::new(0);
        let phone = opened(&disk);
        let installation = InstallationId(Id::from_bytes([0x44; 16]));
        let cell = OrganisationId(Id::from_bytes([0x22; 16]));
        phone.join(installation, ME, cell).expect("a phone joins");
        let first = seeds::example("SyncResponse", "first-response");
        phone
            .on_response(&mut round(&phone), ME, &first, Timestamp(1_780_275_600_000))
            .expect("the protocol's example is applied");
        let mutation = seeds::example("Mutation", "mutation");
        let mutation: sotay_model::Mutation = cbor::from_bytes(&mutation).expect("an example");
        // The phone may refuse it: what matters is that something waits, if the rules let it.
        let at = mutation.made_at;
        drop(phone.submit(ME, at, at, mutation.intent));
        phone.checkpoint();
        let held = phone.held().expect("what it holds");
        drop(phone);
        Self {
            files: disk.snapshot(),
            held,
        }
    }

    fn ready(&self) -> Ready {
        let disk = Disk::from_snapshot(0, &self.files);
        let phone = opened(&disk);
        Ready { _disk: disk, phone }
    }
}

thread_local! {
    static GROUND: Ground = Ground::make();
    /// Kept from one input to the next as long as nothing was changed.
    static READY: RefCell<Option<Ready>> = const { RefCell::new(None) };
}

/// A server's answer, on the phone: what it may not say changes nothing, what it may say leaves the sums right.
pub fn sync_response_applied(input: &[u8]) {
    GROUND.with(|ground| {
        let ready = READY.take().unwrap_or_else(|| ground.ready());
        let mut round = round(&ready.phone);
        let wall = Timestamp(1_780_275_700_000);
        round.request_ahead(input);
        match ready.phone.on_response(&mut round, ME, input, wall) {
            Ok(_) => {
                let held = ready.phone.held().expect("what it holds");
                check(&held);
                // Whatever was said, the phone can ask on and opens again.
                ready.phone.next_request(&mut round).expect("a request");
            }
            Err(Fault::Unreadable | Fault::Truncated) => {
                READY.set(Some(ready));
            }
            Err(Fault::Protocol) => {
                let held = ready.phone.held().expect("what it holds");
                assert_eq!(held, ground.held, "a refused answer changed something");
                READY.set(Some(ready));
            }
            Err(Fault::Store(error)) => panic!("the store failed: {error:?}"),
        }
    });
}

/// What holds in every database, whatever servers say.
fn check(held: &Held) {
    for (scope, state) in &held.scopes {
        let mut sum = sotay_model::ScopeSum::default();
        state
            .listed
            .values()
            .for_each(|(_, _, hash)| sum.add(*hash));
        assert_eq!(
            state.sum, sum,
            "{scope}: the kept sum is not that of the listings"
        );
        for key in state.listed.keys() {
            assert!(held.base.contains_key(key), "{key} is listed and not here");
        }
    }
}
