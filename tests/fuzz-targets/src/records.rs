//! Bodies of records, as a phone keeps them and a server reads them for its rules.

use std::fmt::Debug;

use sotay_model::documents::{Document, Section};
use sotay_model::meetings::{
    AbsenceRequest, Acknowledgement, Attendance, ChairDelegation, Meeting, Response, RollCall,
};
use sotay_model::organisation::{Appointment, Member, Organisation, TemporaryActivity};
use sotay_model::profile::{CorrectionRequest, Profile};
use sotay_model::{Body, Id, Kind, OrganisationId, Record, RecordKey, Scope, Stamp, cbor};

use crate::determinism::form;

/// A record's body; the first byte says of which kind.
pub fn record(input: &[u8]) {
    let Some((which, bytes)) = input.split_first() else {
        return;
    };
    match Kind::ALL[usize::from(*which) % Kind::ALL.len()] {
        Kind::Organisation => read::<Organisation>(bytes),
        Kind::Member => read::<Member>(bytes),
        Kind::TemporaryActivity => read::<TemporaryActivity>(bytes),
        Kind::Appointment => read::<Appointment>(bytes),
        Kind::Profile => read::<Profile>(bytes),
        Kind::CorrectionRequest => read::<CorrectionRequest>(bytes),
        Kind::Meeting => read::<Meeting>(bytes),
        Kind::Response => read::<Response>(bytes),
        Kind::Acknowledgement => read::<Acknowledgement>(bytes),
        Kind::AbsenceRequest => read::<AbsenceRequest>(bytes),
        Kind::RollCall => read::<RollCall>(bytes),
        Kind::Attendance => read::<Attendance>(bytes),
        Kind::ChairDelegation => read::<ChairDelegation>(bytes),
        Kind::Document => read::<Document>(bytes),
        Kind::Section => read::<Section>(bytes),
        Kind::Unknown { .. } => {}
    }
}

fn read<T: Body + PartialEq + Debug>(bytes: &[u8]) {
    let home = Scope::organisation(OrganisationId(Id::from_bytes([7; 16])));
    let record = Record {
        key: RecordKey::new(home, Id::from_bytes([8; 16])),
        kind: T::KIND,
        parent: Id::from_bytes([9; 16]),
        stamp: Stamp::default(),
        body: bytes.to_vec(),
    };
    let Ok(body) = record.read::<T>() else {
        return;
    };
    let written = cbor::to_bytes(&body);
    let again: T = cbor::from_bytes(&written).expect("what was written is read");
    assert_eq!(again, body, "read back as something else");
    assert_eq!(cbor::to_bytes(&again), written, "written in two ways");
    assert_eq!(again.audience(home), body.audience(home));
    // A body that a newer version wrote goes through this one unchanged. An absent value that is spelt out is none that any writes.
    let form = form(bytes);
    if form.deterministic && form.plain {
        assert_eq!(written, bytes, "a body changed on its way");
    }
}
