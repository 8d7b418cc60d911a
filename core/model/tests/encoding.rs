//! Bodies keep what they do not know; foreign bytes never do harm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use proptest::prelude::*;
use sotay_model::cbor::{from_bytes, to_bytes};
use sotay_model::documents::{Document, Section};
use sotay_model::meetings::{
    AbsenceReason, AbsenceRequest, AcknowledgeNotice, Acknowledgement, Attendance, ChairDelegation,
    Channel, Choice, DelegateChair, Meeting, ObjectToMark, RequestAbsence, Respond, Response,
    RollCall,
};
use sotay_model::organisation::{Appointment, Member, Organisation, Policy, TemporaryActivity};
use sotay_model::profile::{CorrectionRequest, Profile, ProfileField, RequestCorrection};
use sotay_model::record::{Body, Kind, Record};
use sotay_model::{Mutation, wire};

/// A record of every kind.
fn every_kind() -> Vec<Record> {
    let mut commune = Commune::confirmed();
    commune.done(
        ANN,
        ObjectToMark {
            meeting: the_meeting(),
            organisation: org(CELL),
            text: "Tôi đến đúng giờ".to_owned(),
        },
    );
    let mut earlier = Commune::with_notice();
    earlier.done(SECRETARY, publication(CELL, 700));
    earlier.done(
        SECRETARY,
        DelegateChair {
            meeting: the_meeting(),
            organisation: org(CELL),
            member: person(ANN),
        },
    );
    earlier.done(
        ANN,
        Respond {
            meeting: the_meeting(),
            organisation: org(CELL),
            choice: Choice::WillAttend,
            notice_version: 1,
        },
    );
    earlier.done(
        ANN,
        AcknowledgeNotice {
            meeting: the_meeting(),
            organisation: org(CELL),
            notice_version: 1,
        },
    );
    earlier.done(
        ASSISTANT,
        RequestAbsence {
            meeting: the_meeting(),
            organisation: org(CELL),
            member: person(EXEMPT),
            reason: AbsenceReason::Health,
            note: Some("Ốm".to_owned()),
            channel: Channel::PhoneCall,
        },
    );
    earlier.done(
        ANN,
        RequestCorrection {
            id: id(9_100),
            field: ProfileField::Born,
            text: "Tôi sinh năm 1951".to_owned(),
        },
    );
    let all = commune.store.records().chain(earlier.store.records());
    let all: Vec<Record> = all.map(|(record, _)| record.clone()).collect();
    for kind in Kind::ALL {
        assert!(
            all.iter().any(|record| record.kind == *kind),
            "no {kind:?} to test with"
        );
    }
    all
}

/// Decodes the body as its kind and encodes it again.
fn again(kind: Kind, body: &[u8]) -> Result<Vec<u8>, minicbor::decode::Error> {
    fn round<T: Body>(body: &[u8]) -> Result<Vec<u8>, minicbor::decode::Error> {
        from_bytes::<T>(body).map(|read| to_bytes(&read))
    }
    match kind {
        Kind::Organisation => round::<Organisation>(body),
        Kind::Member => round::<Member>(body),
        Kind::TemporaryActivity => round::<TemporaryActivity>(body),
        Kind::Appointment => round::<Appointment>(body),
        Kind::Profile => round::<Profile>(body),
        Kind::CorrectionRequest => round::<CorrectionRequest>(body),
        Kind::Meeting => round::<Meeting>(body),
        Kind::Response => round::<Response>(body),
        Kind::Acknowledgement => round::<Acknowledgement>(body),
        Kind::AbsenceRequest => round::<AbsenceRequest>(body),
        Kind::RollCall => round::<RollCall>(body),
        Kind::Attendance => round::<Attendance>(body),
        Kind::ChairDelegation => round::<ChairDelegation>(body),
        Kind::Document => round::<Document>(body),
        Kind::Section => round::<Section>(body),
        Kind::Unknown { .. } => panic!("a kind of no record"),
    }
}

/// A value of a newer version: any deterministic CBOR.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Bool(bool),
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Value>),
    Map(Vec<Value>),
    Tagged(Box<Value>),
}

fn write_value(value: &Value, e: &mut Encoder<Vec<u8>>) {
    match value {
        Value::Null => e.null().unwrap(),
        Value::Bool(b) => e.bool(*b).unwrap(),
        Value::Number(n) => e.i64(*n).unwrap(),
        Value::Bytes(bytes) => e.bytes(bytes).unwrap(),
        Value::Text(text) => e.str(text).unwrap(),
        Value::List(values) => {
            e.array(values.len() as u64).unwrap();
            values.iter().for_each(|value| write_value(value, e));
            e
        }
        Value::Map(values) => {
            e.map(values.len() as u64).unwrap();
            for (key, value) in (0..).zip(values) {
                e.u32(key).unwrap();
                write_value(value, e);
            }
            e
        }
        Value::Tagged(value) => {
            e.tag(minicbor::data::Tag::new(99)).unwrap();
            write_value(value, e);
            e
        }
    };
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Number),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        ".{0,20}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Map),
            inner.prop_map(|value| Value::Tagged(Box::new(value))),
        ]
    })
}

/// The body with further keys behind the known ones, as a newer version would write it.
fn with_keys(body: &[u8], keys: &[(u32, Value)]) -> Vec<u8> {
    let mut decoder = Decoder::new(body);
    assert_eq!(decoder.datatype().unwrap(), Type::Map);
    let known = decoder.map().unwrap().unwrap();
    let mut e = Encoder::new(Vec::new());
    e.map(known + keys.len() as u64).unwrap();
    e.writer_mut()
        .extend_from_slice(&body[decoder.position()..]);
    for (key, value) in keys {
        e.u32(*key).unwrap();
        write_value(value, &mut e);
    }
    e.into_writer()
}

fn newer_keys() -> impl Strategy<Value = Vec<(u32, Value)>> {
    let key = prop_oneof![
        20_u32..300,
        Just(u32::MAX),
        any::<u32>().prop_map(|n| n.max(20))
    ];
    prop::collection::btree_map(key, any_value(), 0..6).prop_map(|keys| keys.into_iter().collect())
}

#[test]
fn every_body_that_rules_write_comes_back_as_the_same_bytes() {
    for record in every_kind() {
        assert_eq!(
            again(record.kind, &record.body).unwrap(),
            record.body,
            "{:?}",
            record.kind
        );
    }
}

#[test]
fn bytes_behind_a_value_and_indefinite_lengths_are_refused() {
    let record = every_kind().remove(0);
    let mut longer = record.body.clone();
    longer.push(0);
    assert!(again(record.kind, &longer).is_err());
    assert!(again(record.kind, &[0xBF, 0xFF]).is_err());
    assert!(again(record.kind, &[]).is_err());
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let record = every_kind().remove(0);
    let twice = with_keys(&record.body, &[(90, Value::Null), (90, Value::Null)]);
    assert!(again(record.kind, &twice).is_err());
}

#[test]
fn values_nested_without_end_are_refused() {
    let record = every_kind().remove(0);
    let bytes = with_keys(&record.body, &[(90, Value::Null)]);
    let mut nested = bytes[..bytes.len() - 1].to_vec();
    nested.extend(std::iter::repeat_n(0x81, 100_000));
    nested.push(0xF6);
    assert!(again(record.kind, &nested).is_err());
}

#[test]
fn server_keys_out_of_order_are_refused_at_the_first_of_them() {
    // As many as a mutation of 1 MiB holds, backwards: keeping them in order would move each of them for each that follows.
    let mut policy = Encoder::new(Vec::new());
    let keys = 170_000_u32;
    policy.map(keys.into()).unwrap();
    for key in (100_000..100_000 + keys).rev() {
        policy.u32(key).unwrap().u8(0).unwrap();
    }
    let policy = policy.into_writer();
    assert!(policy.len() <= 1 << 20);
    assert!(from_bytes::<Policy>(&policy).is_err());
    let known = to_bytes(&Policy::default());
    let swapped = [&known[..1], &known[5..9], &known[1..5], &known[9..]].concat();
    assert_eq!((known[1], known[5]), (0, 1), "the first two keys");
    assert!(from_bytes::<Policy>(&swapped).is_err());
}

#[test]
fn an_intent_of_a_newer_version_is_known_as_unknown() {
    let mut e = Encoder::new(Vec::new());
    e.map(3)
        .unwrap()
        .u32(0)
        .unwrap()
        .i64(7)
        .unwrap()
        .u32(1)
        .unwrap()
        .array(0)
        .unwrap();
    e.u32(2)
        .unwrap()
        .array(2)
        .unwrap()
        .u32(4_000)
        .unwrap()
        .str("?")
        .unwrap();
    let mutation: Mutation = from_bytes(&e.into_writer()).unwrap();
    assert_eq!(mutation.intent.name(), "Unknown");
    let commune = Commune::new();
    let actor = sotay_model::Actor::Member(person(ANN));
    let outcome = commune.store.decide(actor, commune.now, &mutation, None);
    assert_eq!(outcome, sotay_model::Outcome::NotYet);
}

proptest! {
    #[test]
    fn unknown_keys_come_back_as_the_same_bytes(keys in newer_keys(), which in any::<prop::sample::Index>()) {
        let records = every_kind();
        let record = which.get(&records);
        let newer = with_keys(&record.body, &keys);
        prop_assert_eq!(again(record.kind, &newer).unwrap(), newer);
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for kind in Kind::ALL {
            let _ = again(*kind, &bytes);
        }
        let _ = from_bytes::<Mutation>(&bytes);
        let _ = from_bytes::<wire::SyncRequest>(&bytes);
        let _ = from_bytes::<wire::SyncResponse>(&bytes);
        let _ = from_bytes::<wire::ClaimEnrolment>(&bytes);
    }

    #[test]
    fn damaged_bodies_never_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), with: u8) {
        let records = every_kind();
        let record = which.get(&records);
        let mut body = record.body.clone();
        let at = at.index(body.len());
        body[at] = with;
        if let Ok(bytes) = again(record.kind, &body) {
            // What can be read can be written, and then stays as it is.
            prop_assert_eq!(again(record.kind, &bytes).unwrap(), bytes);
        }
    }
}
