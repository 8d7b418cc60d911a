//! Publishing documents.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use sotay_model::Rejection;
use sotay_model::documents::{ConfidentialityLevel, Document, PublishDocument, Section};
use sotay_model::id::{RecordKey, Scope};
use sotay_model::rejection::{Denial, Fault, Field, SecrecyMarking, Subject};

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
