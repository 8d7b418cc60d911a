//! A server of a newer version beside phones of this one: what they do not know is kept, and said on the first screen.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::Village;
use sotay_client::home::WaitingItem;
use sotay_model::record::RecordHash;
use sotay_model::{Id, Kind, Record, RecordKey, Scope, Stamp};
use sotay_server::commune::DATABASE;
use sotay_server::storage::{ListingRow, Storage, StoredRecord};

/// Writes a record of a kind that no version here knows into a cell's feed.
fn write_unknown(village: &Village, cell: &str) {
    let mut storage = Storage::open(&village.data().join(DATABASE)).unwrap();
    let scope = Scope::organisation(village.commune.organisations[cell]);
    let transaction = storage.write().unwrap();
    let record = Record {
        key: RecordKey::new(scope, Id::derived("newer", &[])),
        kind: Kind::from_code(9_999),
        parent: scope.id,
        stamp: Stamp {
            incarnation: transaction.incarnation().unwrap(),
            version: 1,
        },
        body: vec![0xa1, 0x00, 0x18, 0x2a],
    };
    let mut head = transaction.head(scope).unwrap();
    head.head += 1;
    head.sum
        .add(RecordHash::of(&record.key, record.stamp, &record.body));
    let line = ListingRow {
        seq: head.head,
        key: record.key,
        stamp: record.stamp,
        content: Some((record.kind, record.parent, record.body.clone())),
        group_end: head.head,
        at: sotay_server::system_clock(),
    };
    transaction
        .set_record(&StoredRecord {
            record,
            audience: vec![scope],
        })
        .unwrap();
    transaction.set_listing(scope, &line).unwrap();
    transaction.set_head(scope, &head).unwrap();
    transaction.commit().unwrap();
}

#[test]
fn a_record_of_an_unknown_kind_is_kept_and_the_first_screen_asks_for_a_newer_app() {
    let village = Village::new();
    let phone = village.phone("c1-03");
    let elsewhere = village.phone("c2-03");
    let update = WaitingItem::UpdateApp { count: 1 };
    assert!(!phone.handbook().home().unwrap().waiting.contains(&update));

    write_unknown(&village, "c1");
    for other in [&phone, &elsewhere] {
        let report = other.handbook().sync().unwrap();
        assert!(report.finished, "its sum fits");
    }
    assert!(phone.handbook().home().unwrap().waiting.contains(&update));
    assert!(
        !elsewhere
            .handbook()
            .home()
            .unwrap()
            .waiting
            .contains(&update)
    );
}
