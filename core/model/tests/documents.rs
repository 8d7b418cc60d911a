//! Publishing documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use sotay_model::blob::{self, MAX_BLOB_BYTES, PIECE_BYTES, PieceDigests};
use sotay_model::cbor::UnknownKeys;
use sotay_model::documents::{
    Attachment, ConfidentialityLevel, Document, MAX_ATTACHMENTS, PublishDocument, Section,
};
use sotay_model::id::{RecordKey, Scope};
use sotay_model::rejection::{Denial, Fault, Field, SecrecyMarking, Subject};
use sotay_model::time::Now;
use sotay_model::world::World;
use sotay_model::{Actor, BlobDigest, NamedBlob, Rejection};

fn numbered(numbers: &[&str]) -> PublishDocument {
    PublishDocument {
        sections: numbers
            .iter()
            .map(|number| section(number, "Mục"))
            .collect(),
        ..publication(CELL, 700)
    }
}

#[test]
fn a_document_and_its_sections_are_shown_to_the_organisation() {
    let mut commune = Commune::new();
    let effect = commune.done(SECRETARY, publication(CELL, 700));
    assert_eq!(effect.puts.len(), 4);
    for put in &effect.puts {
        assert_eq!(put.audience, vec![Scope::organisation(org(CELL))]);
    }
    let key = document(org(CELL), 700);
    let stored = commune.store.body::<Document>(key.0).unwrap();
    assert_eq!(
        (stored.section_count, stored.published_at),
        (3, commune.now.at)
    );
    let second = commune.store.body::<Section>(Section::key(key, 1)).unwrap();
    assert_eq!(
        (second.number.as_str(), second.heading.as_str()),
        ("1.1", "Kết quả")
    );
}

#[test]
fn in_a_committee_its_members_publish_and_in_a_cell_only_who_leads() {
    let mut commune = Commune::new();
    commune.appoint(BINH, CELL, sotay_model::organisation::Role::CommitteeMember);
    commune.done(COMMITTEE_MEMBER, publication(COMMITTEE, 700));
    commune.done(DEPUTY, publication(CELL, 701));
    let needed = Rejection::NotAllowed {
        why: Denial::OfficeNeeded,
    };
    for (member, home) in [
        (BINH, CELL),
        (ANN, CELL),
        (ASSISTANT, CELL),
        (SECRETARY, COMMITTEE),
        (OFFICER, CELL),
    ] {
        assert_eq!(
            commune.refused(member, publication(home, 702)),
            needed,
            "{member} in {home}"
        );
    }
}

#[test]
fn restricted_and_secret_documents_never_enter() {
    let mut commune = Commune::new();
    for level in [
        ConfidentialityLevel::Restricted,
        ConfidentialityLevel::StateSecret,
    ] {
        assert_eq!(
            commune.refused(
                SECRETARY,
                PublishDocument {
                    level,
                    ..publication(CELL, 700)
                }
            ),
            Rejection::Invalid {
                field: Field::ConfidentialityLevel,
                why: Fault::NotKeptHere
            }
        );
    }
    let mut marked = publication(CELL, 700);
    marked.sections[2].text = "Nơi nhận: như trên.\nTUYỆT MẬT".to_owned();
    assert_eq!(
        commune.refused(SECRETARY, marked),
        Rejection::Secret {
            field: Field::Text,
            level: SecrecyMarking::UtmostSecret
        }
    );
}

#[test]
fn sections_are_numbered_in_order() {
    let mut commune = Commune::new();
    for numbers in [
        &["1"][..],
        &["1", "2", "3"],
        &["1", "1.1", "1.1.1", "1.1.2", "1.2", "2", "2.1"],
        &["1", "1.1", "1.1.1", "2"],
    ] {
        let mut publication = numbered(numbers);
        publication.document =
            document(org(CELL), 700 + u32::try_from(numbers.len()).unwrap() * 10);
        commune.done(SECRETARY, publication);
    }
    for numbers in [
        &["2"][..],
        &["1", "3"],
        &["1", "1"],
        &["1.1"],
        &["1", "1.2"],
        &["1", "1.1.1"],
        &["1", "2", "1.1"],
        &["1", "1.1", "1.1"],
        &["1", "1.1", "3"],
    ] {
        assert_eq!(
            commune.refused(SECRETARY, numbered(numbers)),
            Rejection::Invalid {
                field: Field::SectionNumber,
                why: Fault::OutOfOrder
            },
            "{numbers:?}"
        );
    }
    for number in [
        "I",
        "01",
        "1.",
        ".1",
        "1..1",
        "0",
        "-1",
        "+1",
        "1.1.1.1",
        "99999999999",
        "1 .1",
    ] {
        assert_eq!(
            commune.refused(SECRETARY, numbered(&[number])),
            Rejection::Invalid {
                field: Field::SectionNumber,
                why: Fault::Malformed
            },
            "{number}"
        );
    }
}

#[test]
fn a_document_has_sections_and_not_too_many() {
    let mut commune = Commune::new();
    assert_eq!(
        commune.refused(SECRETARY, numbered(&[])),
        Rejection::Invalid {
            field: Field::Sections,
            why: Fault::Empty
        }
    );
    let numbers: Vec<String> = (1..=501).map(|n: u32| n.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(
        commune.refused(SECRETARY, numbered(&numbers)),
        Rejection::TooLarge {
            field: Field::Sections,
            limit: 500
        }
    );
    commune.done(SECRETARY, numbered(&numbers[..500]));
}

#[test]
fn a_text_that_would_not_fit_into_a_record_is_refused() {
    let mut commune = Commune::new();
    let mut long = publication(CELL, 700);
    long.sections[0].text = "a".repeat(20_001);
    assert_eq!(
        commune.refused(SECRETARY, long),
        Rejection::TooLarge {
            field: Field::Text,
            limit: 20_000
        }
    );
}

#[test]
fn an_id_in_use_is_refused() {
    let mut commune = Commune::new();
    commune.done(SECRETARY, publication(CELL, 700));
    assert_eq!(
        commune.refused(DEPUTY, publication(CELL, 700)),
        Rejection::AlreadyExists
    );
}

#[test]
fn a_document_for_a_meeting_names_one_of_the_organisation() {
    let mut commune = Commune::with_notice();
    let for_meeting = Some(the_meeting());
    commune.done(
        SECRETARY,
        PublishDocument {
            for_meeting,
            ..publication(CELL, 700)
        },
    );
    let elsewhere = Some(meeting(org(OTHER_CELL), 2_000));
    for (member, home, for_meeting) in [
        (SECRETARY, CELL, elsewhere),
        (OTHER_SECRETARY, OTHER_CELL, for_meeting),
    ] {
        assert_eq!(
            commune.refused(
                member,
                PublishDocument {
                    for_meeting,
                    ..publication(home, 701)
                }
            ),
            Rejection::NotFound {
                what: Subject::Meeting
            }
        );
    }
}

#[test]
fn a_document_lies_at_the_home_of_an_organisation() {
    let mut commune = Commune::new();
    let key = RecordKey::new(Scope::person(person(SECRETARY)), id(1));
    let at_home = PublishDocument {
        document: sotay_model::DocumentKey(key),
        ..publication(CELL, 700)
    };
    assert_eq!(
        commune.refused(SECRETARY, at_home),
        Rejection::NotFound {
            what: Subject::Organisation
        }
    );
}

fn attachment(name: &str, media_type: &str, bytes: &[u8]) -> Attachment {
    let mut pieces = PieceDigests::default();
    for piece in bytes.chunks(PIECE_BYTES as usize) {
        pieces.push(piece);
    }
    Attachment {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        size: bytes.len() as u64,
        blob: BlobDigest::of(bytes),
        pieces,
        unknown: UnknownKeys::none(),
    }
}

fn with(attachments: Vec<Attachment>) -> PublishDocument {
    PublishDocument {
        attachments,
        ..publication(CELL, 700)
    }
}

#[test]
fn a_document_names_its_attachments_and_their_blobs() {
    let mut commune = Commune::new();
    let pdf = attachment("Nghị quyết.pdf", "application/pdf", &vec![7; 300_000]);
    let effect = commune.done(SECRETARY, with(vec![pdf.clone()]));
    let key = document(org(CELL), 700);
    let stored = commune.store.body::<Document>(key.0).unwrap();
    assert_eq!(stored.attachments, Some(vec![pdf.clone()]));
    let named: Vec<_> = effect
        .puts
        .iter()
        .flat_map(|put| blob::named_by(put.kind, &put.body))
        .collect();
    let expected = NamedBlob {
        digest: pdf.blob,
        size: 300_000,
    };
    assert_eq!(named, vec![expected]);
    let without = commune.done(SECRETARY, publication(CELL, 701));
    assert!(blob::named_by(without.puts[0].kind, &without.puts[0].body).is_empty());
}

#[test]
fn attachments_that_no_phone_could_keep_check_or_show_are_refused() {
    let mut commune = Commune::new();
    let good = attachment("a.pdf", "application/pdf", b"bytes");
    let invalid = |field, why| Rejection::Invalid { field, why };
    let attachments = |why| invalid(Field::Attachments, why);
    let cases = [
        (
            with(vec![Attachment {
                name: " ".into(),
                ..good.clone()
            }]),
            invalid(Field::Name, Fault::Empty),
        ),
        (
            with(vec![Attachment {
                name: "../a".into(),
                ..good.clone()
            }]),
            invalid(Field::Name, Fault::Malformed),
        ),
        (
            with(vec![Attachment {
                name: "TỐI MẬT.pdf".into(),
                ..good.clone()
            }]),
            Rejection::Secret {
                field: Field::Name,
                level: SecrecyMarking::TopSecret,
            },
        ),
        (
            with(vec![Attachment {
                media_type: "text/html".into(),
                ..good.clone()
            }]),
            attachments(Fault::UnknownValue),
        ),
        (
            with(vec![Attachment {
                media_type: "image/".into(),
                ..good.clone()
            }]),
            attachments(Fault::UnknownValue),
        ),
        (
            with(vec![Attachment {
                media_type: "Image/PNG".into(),
                ..good.clone()
            }]),
            attachments(Fault::UnknownValue),
        ),
        (
            with(vec![Attachment {
                size: 0,
                ..good.clone()
            }]),
            attachments(Fault::Empty),
        ),
        (
            with(vec![Attachment {
                size: u64::from(PIECE_BYTES) + 1,
                ..good.clone()
            }]),
            attachments(Fault::Malformed),
        ),
        (
            with(vec![Attachment {
                pieces: PieceDigests::default(),
                ..good.clone()
            }]),
            attachments(Fault::Malformed),
        ),
        (
            with(vec![good.clone(), good.clone()]),
            attachments(Fault::Repeated),
        ),
        (
            with(vec![Attachment {
                size: u64::from(MAX_BLOB_BYTES) + 1,
                ..good.clone()
            }]),
            Rejection::TooLarge {
                field: Field::Attachments,
                limit: MAX_BLOB_BYTES,
            },
        ),
        (
            with(
                (0..=MAX_ATTACHMENTS)
                    .map(|n| attachment("a.png", "image/png", &n.to_be_bytes()))
                    .collect(),
            ),
            Rejection::TooLarge {
                field: Field::Attachments,
                limit: MAX_ATTACHMENTS,
            },
        ),
    ];
    for (intent, expected) in cases {
        assert_eq!(
            commune.refused(SECRETARY, intent.clone()),
            expected,
            "{intent:?}"
        );
    }
    commune.done(SECRETARY, with(vec![good]));
}

#[test]
fn the_largest_attachments_still_fit_into_a_record_and_a_mutation() {
    let mut commune = Commune::new();
    let mut pieces = PieceDigests::default();
    for _ in 0..blob::pieces(MAX_BLOB_BYTES.into()) {
        pieces.push(b"");
    }
    let attachments = (0..MAX_ATTACHMENTS)
        .map(|n| Attachment {
            size: MAX_BLOB_BYTES.into(),
            pieces: pieces.clone(),
            ..attachment(&"ữ".repeat(200), "image/png", &n.to_be_bytes())
        })
        .collect();
    let effect = commune.done(SECRETARY, with(attachments));
    assert!(effect.puts[0].body.len() < 200_000);
}

#[test]
fn who_may_publish_at_a_home_may_hand_blobs_over_there() {
    let commune = Commune::new();
    for (member, home, expected) in [
        (SECRETARY, Scope::organisation(org(CELL)), true),
        (DEPUTY, Scope::organisation(org(CELL)), true),
        (ANN, Scope::organisation(org(CELL)), false),
        (SECRETARY, Scope::organisation(org(COMMITTEE)), false),
        (SECRETARY, Scope::office(org(CELL)), false),
    ] {
        let mut world = World::new();
        let actor = Actor::Member(person(member));
        let allowed = loop {
            match blob::may_hand_over(&world, actor, Now::server(commune.now.at), home) {
                Ok(allowed) => break allowed,
                Err(needs) => needs
                    .iter()
                    .for_each(|need| commune.store.load(&mut world, need, None)),
            }
        };
        assert_eq!(allowed, expected, "{member} at {home}");
    }
}
