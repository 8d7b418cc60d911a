//! The examples of `docs/protocol.md`, replayed: each is read, written again to the same bytes, and its sums and signatures
//! are made anew. Whoever writes another client by that page can hold it against the same examples.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use ring::signature::{Ed25519KeyPair, KeyPair};
use sotay_model::record::RecordHash;
use sotay_model::rejection::Denial;
use sotay_model::signature::{self, Headers, Request};
use sotay_model::wire::{Problem, ProblemCode, Receipt, SyncRequest, SyncResponse, Verdict};
use sotay_model::{Intent, Mutation, RecordKey, Rejection, ScopeSum, Stamp, cbor};

const PAGE: &str = include_str!("../../../docs/protocol.md");
const RECORDS: &str = include_str!("../../../docs/records.md");

/// Fenced blocks with a first word: its other words, and the text.
fn blocks(first: &str) -> Vec<(Vec<&'static str>, &'static str)> {
    let mut found = Vec::new();
    let mut rest = PAGE;
    while let Some((_, behind)) = rest.split_once("```") {
        let (block, next) = behind.split_once("```").unwrap();
        let (words, text) = block.split_once('\n').unwrap();
        let mut words = words.split_whitespace();
        if words.next() == Some(first) {
            found.push((words.collect(), text));
        }
        rest = next;
    }
    found
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

/// The examples in CBOR: type and bytes by name.
fn messages() -> BTreeMap<&'static str, (&'static str, Vec<u8>)> {
    let parsed = blocks("cbor").into_iter().map(|(words, text)| {
        let hex: String = text
            .lines()
            .map(|line| line.split_once('#').map_or(line, |(hex, _)| hex))
            .collect();
        (words[1], (words[0], bytes_of(&hex)))
    });
    parsed.collect()
}

fn message<T: for<'b> minicbor::Decode<'b, ()>>(name: &str) -> T {
    cbor::from_bytes(&messages()[name].1).unwrap()
}

fn again<T>(bytes: &[u8]) -> Vec<u8>
where
    T: for<'b> minicbor::Decode<'b, ()> + minicbor::Encode<()>,
{
    cbor::to_bytes(&cbor::from_bytes::<T>(bytes).unwrap())
}

/// The lines of a block, by their first word.
fn fields(text: &'static str, separator: &str) -> BTreeMap<&'static str, &'static str> {
    text.lines()
        .map(|line| {
            let (name, value) = line.split_once(separator).unwrap();
            (name, value.trim())
        })
        .collect()
}

#[test]
fn every_message_is_read_and_written_to_the_same_bytes() {
    let messages = messages();
    assert_eq!(messages.len(), 8);
    for (name, (kind, bytes)) in &messages {
        let written = match *kind {
            "SyncRequest" => again::<SyncRequest>(bytes),
            "SyncResponse" => again::<SyncResponse>(bytes),
            "Mutation" => again::<Mutation>(bytes),
            "Receipt" => again::<Receipt>(bytes),
            "Problem" => again::<Problem>(bytes),
            other => panic!("no such kind of example: {other}"),
        };
        assert_eq!(&written, bytes, "{name}");
    }
}

#[test]
fn the_first_request_holds_nothing_and_the_second_carries_the_mutation() {
    let first: SyncRequest = message("first-request");
    assert_eq!((first.incarnation, first.cursors.len()), (0, 0));
    let second: SyncRequest = message("second-request");
    assert_eq!(second.mutations[0].mutation, messages()["mutation"].1);
    let mutation: Mutation = message("mutation");
    assert!(matches!(mutation.intent, Intent::Respond(_)));

    let response: SyncResponse = message("first-response");
    let page = &response.pages[0];
    assert_eq!(response.gained, [page.scope]);
    let cursor = second.cursors[0];
    assert_eq!(
        (cursor.scope, cursor.epoch, cursor.seq, cursor.began),
        (page.scope, page.epoch, page.to, page.began)
    );
    assert_eq!(second.incarnation, response.incarnation);
}

#[test]
fn pages_add_up_to_their_sums() {
    let mut sum = ScopeSum::default();
    for name in ["first-response", "second-response"] {
        let response: SyncResponse = message(name);
        let page = &response.pages[0];
        for row in &page.rows {
            let body = &row.content.as_ref().unwrap().body;
            sum.add(RecordHash::of(&row.key, row.stamp, body));
        }
        assert_eq!(page.sum.as_deref(), Some(&sum.sum.to_be_bytes()[..]));
        assert_eq!(page.count, Some(sum.count));
    }
}

#[test]
fn the_hashes_are_those_of_key_stamp_and_body() {
    let mut sum = ScopeSum::default();
    let examples = blocks("hash");
    assert_eq!(examples.len(), 2);
    for (name, text) in examples {
        let example = fields(text, " ");
        let key = RecordKey::from_bytes(&bytes_of(example["key"])).unwrap();
        let (incarnation, version) = example["stamp"].split_once(' ').unwrap();
        let stamp = Stamp {
            incarnation: incarnation.parse().unwrap(),
            version: version.parse().unwrap(),
        };
        let hash = RecordHash::of(&key, stamp, &bytes_of(example["body"]));
        assert_eq!(format!("{:032x}", hash.0), example["hash"], "{name:?}");
        sum.add(hash);
    }
    assert!(PAGE.contains(&format!("*second-response*, {:032x}", sum.sum)));
}

#[test]
fn the_receipt_names_the_record_that_its_body_and_page_bring() {
    let response: SyncResponse = message("second-response");
    let Verdict::Done(written) = &response.receipts[0].verdict else {
        panic!("it was carried out");
    };
    let (body, row) = (&response.bodies[0], &response.pages[0].rows[0]);
    assert_eq!(written[0].key, body.key);
    assert_eq!(
        (written[0].key, written[0].stamp, written[0].seq),
        (row.key, row.stamp, row.seq)
    );
    assert_eq!(Some(&body.content), row.content.as_ref());
}

#[test]
fn refusals_say_why() {
    let refused: Receipt = message("refused");
    let why = Rejection::NotAllowed {
        why: Denial::NotConvened,
    };
    assert_eq!(refused.verdict, Verdict::Rejected(why));
    assert_eq!(message::<Receipt>("not-yet").verdict, Verdict::NotYet);
    let problem: Problem = message("stale-nonce");
    assert_eq!(problem.code, ProblemCode::StaleNonce);
}

#[test]
fn every_problem_stands_in_the_table_under_its_number() {
    for code in ProblemCode::ALL {
        let line = format!("\n| {} | `{}` | ", code.code(), code.name());
        assert!(PAGE.contains(&line), "{line}");
    }
}

#[test]
fn every_kind_of_record_stands_in_the_page_of_records_under_its_number() {
    for kind in sotay_model::Kind::ALL {
        let line = format!("\n| {} | {} | ", kind.code(), kind.name());
        assert!(RECORDS.contains(&line), "{line}");
    }
}

#[test]
fn the_signed_request_verifies_and_signing_it_again_gives_the_same() {
    let (name, text) = blocks("signed").remove(0);
    let example = fields(text, ": ");
    let body = messages()[name[0]].1.clone();
    let request = Request {
        method: example["method"],
        authority: example["authority"],
        path: example["path"],
        query: None,
        body: &body,
    };
    let headers = Headers {
        content_digest: example["content-digest"].into(),
        signature_input: example["signature-input"].into(),
        signature: example["signature"].into(),
    };
    let public_key = bytes_of(example["public-key"]);
    let parameters = signature::verify(&request, &headers).unwrap();
    assert_eq!(parameters.key[..], public_key);
    let key = Ed25519KeyPair::from_seed_unchecked(&bytes_of(example["seed"])).unwrap();
    assert_eq!(key.public_key().as_ref(), public_key);
    assert_eq!(signature::sign_with(&key, &request, &parameters), headers);
    let (_, base) = blocks("base").remove(0);
    assert_eq!(
        signature::signature_base(&request, &parameters),
        base.trim_end()
    );
}
