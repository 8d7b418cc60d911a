//! What is kept about people: every kind and field says it, and `docs/data-inventory.md` says the same.
//!
//! `SOTAY_WRITE=1` writes that page's part about records anew.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sotay_model::cbor::UnknownKeys;
use sotay_model::id::ScopeKind;
use sotay_model::inventory::{self, Kept, MapField, Personal, Shape};
use sotay_model::meetings::{AbsenceReason, AbsenceRequest, AbsenceState};
use sotay_model::profile::Profile;
use sotay_model::{Body, Id, Kind, MeetingKey, MemberId, OrganisationId, RecordKey, Scope};

const PAGE: &str = include_str!("../../../docs/data-inventory.md");
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data-inventory.md");
const RECORDS: &str = include_str!("../../../docs/records.md");
const BEGIN: &str = "<!-- written from the declarations: begin -->\n";
const END: &str = "<!-- written from the declarations: end -->\n";

/// The type without what wraps it.
fn bare(type_name: &str) -> &str {
    type_name
        .rsplit('<')
        .next()
        .unwrap_or_default()
        .trim_end_matches(['>', ' '])
}

/// As the page of records writes it.
fn written(type_name: &str) -> String {
    let type_name = type_name.replace(' ', "");
    if let Some(inner) = type_name.strip_prefix("Option<") {
        return format!("{}, optional", written(inner.trim_end_matches('>')));
    }
    if let Some(inner) = type_name.strip_prefix("Vec<") {
        return format!("array of {}", written(inner.trim_end_matches('>')));
    }
    match type_name.as_str() {
        "MemberId" | "OrganisationId" => "Id".into(),
        "MeetingKey" | "DocumentKey" => "RecordKey".into(),
        "String" => "text".into(),
        "u8" | "u32" | "u64" => "number".into(),
        other => other.into(),
    }
}

/// Maps inside maps, by name, each once.
fn parts(fields: &[MapField], found: &mut BTreeMap<&'static str, &'static [MapField]>) {
    for field in fields {
        if let Shape::Map(inner) = field.shape {
            found.insert(bare(field.type_name), inner);
            parts(inner, found);
        }
    }
}

fn table(page: &mut String, fields: &[MapField]) {
    page.push_str("\n| field | | says |\n| --- | --- | --- |\n");
    for field in fields {
        let more = match field.shape {
            Shape::Map(_) => format!(
                "[{0}](#{1})",
                bare(field.type_name),
                bare(field.type_name).to_lowercase()
            ),
            _ => written(field.type_name),
        };
        writeln!(
            page,
            "| {} | {more} | {} |",
            field.name,
            field.personal.words()
        )
        .unwrap();
    }
}

/// The part of the page that follows from the declarations.
fn how_long(kept: Kept) -> String {
    let then = if kept.until.is_kept_by_server() {
        " The server removes it then."
    } else {
        ""
    };
    format!("{}{}.{then}", kept.until.words(), kept.because)
}

fn from_declarations() -> String {
    let mut page = String::from("## Records\n");
    let mut inside = BTreeMap::new();
    for kind in Kind::ALL {
        let entry = inventory::of(*kind).unwrap();
        let kept = entry.kept;
        writeln!(
            page,
            "\n### {}\n\n- **What for:** {}\n- **About whom:** {}\n- **Who sees it:** {}\n- **How long:** {}",
            kind.name(),
            kept.purpose,
            kept.about,
            kept.seen_by,
            how_long(kept)
        )
        .unwrap();
        table(&mut page, entry.fields);
        parts(entry.fields, &mut inside);
    }
    page.push_str("\n## Parts of records\n");
    for (name, fields) in inside {
        writeln!(page, "\n### {name}").unwrap();
        table(&mut page, fields);
    }
    page.push('\n');
    page
}

#[test]
fn privacy_1_the_page_says_what_the_declarations_say() {
    let (before, rest) = PAGE.split_once(BEGIN).unwrap();
    let (stands, after) = rest.split_once(END).unwrap();
    let says = from_declarations();
    if std::env::var_os("SOTAY_WRITE").is_some() {
        std::fs::write(PATH, format!("{before}{BEGIN}{says}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            stands, says,
            "SOTAY_WRITE=1 cargo test -p sotay-model --test inventory"
        );
    }
}

#[test]
fn privacy_1_every_kind_says_what_for_about_whom_who_sees_it_and_how_long() {
    for kind in Kind::ALL {
        let kept = inventory::of(*kind).unwrap().kept;
        for words in [kept.purpose, kept.about, kept.seen_by, &how_long(kept)] {
            assert!(
                words.ends_with('.') && words.len() > 7,
                "{kind:?}: {words:?}"
            );
        }
    }
    assert!(inventory::of(Kind::from_code(9_999)).is_none());
}

#[test]
fn privacy_1_who_is_named_in_a_record_is_said_to_be() {
    for kind in Kind::ALL {
        let entry = inventory::of(*kind).unwrap();
        let mut maps = BTreeMap::from([(kind.name(), entry.fields)]);
        parts(entry.fields, &mut maps);
        for field in maps.values().copied().flatten() {
            let names_somebody = bare(field.type_name) == "MemberId";
            assert!(
                !names_somebody || field.personal == Personal::Who,
                "{kind:?}: {}",
                field.name
            );
        }
        let personal = maps
            .values()
            .copied()
            .flatten()
            .any(|field| !matches!(field.personal, Personal::No | Personal::Words));
        assert_eq!(
            personal,
            !entry.kept.about.starts_with("Nobody"),
            "{kind:?}"
        );
    }
}

#[test]
fn privacy_1_what_is_private_is_shown_to_no_whole_organisation() {
    let (member, meeting) = (
        MemberId(Id::from_bytes([1; 16])),
        MeetingKey(RecordKey::new(
            Scope::organisation(OrganisationId(Id::from_bytes([2; 16]))),
            Id::from_bytes([3; 16]),
        )),
    );
    let profile = Profile {
        member,
        born: None,
        born_year: None,
        admitted_on: None,
        official_on: None,
        card_number: None,
        card_issued_on: None,
        card_issued_by: None,
        unknown: UnknownKeys::none(),
    };
    let request = AbsenceRequest {
        member,
        meeting,
        reason: AbsenceReason::Health,
        note: None,
        made_at: sotay_model::Timestamp(0),
        late: false,
        state: AbsenceState::Waiting,
        decided_by: None,
        decided_at: None,
        answer: None,
        entered: None,
        decided_above: Some(OrganisationId(Id::from_bytes([4; 16]))),
        unknown: UnknownKeys::none(),
    };
    let shown = BTreeMap::from([
        (Kind::Profile, profile.audience(Scope::person(member))),
        (Kind::AbsenceRequest, request.audience(meeting.0.home)),
    ]);
    let private: BTreeSet<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| {
            let entry = inventory::of(*kind).unwrap();
            let mut maps = BTreeMap::from([(kind.name(), entry.fields)]);
            parts(entry.fields, &mut maps);
            maps.values()
                .copied()
                .flatten()
                .any(|field| field.personal == Personal::Private)
        })
        .collect();
    assert_eq!(private, shown.keys().copied().collect());
    for (kind, scopes) in shown {
        assert!(
            scopes
                .iter()
                .all(|scope| scope.kind != ScopeKind::Organisation),
            "{kind:?}: {scopes:?}"
        );
    }
}

#[test]
fn the_page_of_records_lists_the_fields_as_they_are_declared() {
    let mut maps = BTreeMap::new();
    for kind in Kind::ALL {
        let fields = inventory::of(*kind).unwrap().fields;
        maps.insert(kind.name(), fields);
        parts(fields, &mut maps);
    }
    for (name, fields) in maps {
        let declared: Vec<String> = fields
            .iter()
            .map(|f| format!("{} {}: {}", f.number, f.name, written(f.type_name)))
            .collect();
        let line = format!("| {} |", declared.join("; "));
        let stands = RECORDS
            .lines()
            .any(|l| (l.contains(&format!("| {name} | "))) && l.ends_with(&line));
        assert!(stands, "{name}: {line}");
    }
}
