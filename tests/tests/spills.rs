//! Something that should never have been entered: removed from the server, from what an old backup brings, and from every phone.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "canaries/word.rs"]
#[allow(dead_code)]
mod word;

use std::path::{Path, PathBuf};

use common::Village;
use sotay_client::documents::{AttachmentForm, DocumentForm, SectionForm};
use sotay_client::meetings::NoticeForm;
use sotay_client::{Handbook, HandbookError};
use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::meetings::{Choice, MeetingKind, MeetingMode};
use sotay_model::rejection::{Field, Rejection};
use sotay_model::removed::REMOVED;
use sotay_model::{BlobDigest, DocumentKey, MeetingKey};
use sotay_server::audit::Event;
use sotay_server::commune;
use sotay_server::storage::{Spill, Storage};
use sotay_tests::examiner::{agree, open_database};
use sotay_tests::phone::Phone;
use sotay_tests::server::{Program, ServerProcess};
use word::Form;

/// Words that nobody else writes, with letters that have several forms.
const SPILLED: [&str; 6] = [
    "Vành khuyên tiêu đề hót",
    "Vành khuyên nội dung họp hót",
    "Vành khuyên nơi họp hót",
    "Vành khuyên đề mục hót",
    "Vành khuyên lời văn hót, dài hơn bốn mươi chữ cái để được nhớ lại",
    "Vành khuyên tên tệp hót",
];
const IN_FILE: &str = "Vành khuyên trong tệp hót";

fn notice(title: &str, agenda: &str, place: &str) -> NoticeForm {
    let starts_at = sotay_server::system_clock().plus_minutes(2 * 24 * 60);
    NoticeForm {
        kind: MeetingKind::Regular,
        title: title.into(),
        starts_at,
        ends_at: starts_at.plus_minutes(90),
        place: place.into(),
        mode: MeetingMode::InRoom,
        agenda: vec![agenda.into()],
        documents: vec![],
        guests: vec![],
        answer_by: None,
        absence_by: None,
    }
}

fn document(title: &str, heading: &str, text: &str) -> DocumentForm {
    DocumentForm {
        title: title.into(),
        number: None,
        issuer: "Chi ủy mẫu".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: "2026-11-01".parse().unwrap(),
        for_meeting: None,
        sections: vec![SectionForm {
            number: "1".into(),
            heading: heading.into(),
            text: text.into(),
        }],
    }
}

fn file_bytes() -> Vec<u8> {
    format!("{IN_FILE}. ").repeat(9_000).into_bytes()
}

fn attached(village: &Village, name: &str) -> AttachmentForm {
    let path = village.path().join("to attach.pdf");
    std::fs::write(&path, file_bytes()).unwrap();
    AttachmentForm {
        name: format!("{name}.pdf"),
        media_type: "application/pdf".into(),
        path: path.to_string_lossy().into_owned(),
    }
}

/// A notice and a document with a file, full of what should not be there, on the server.
fn spilled(village: &Village, secretary: &Phone) -> (MeetingKey, DocumentKey) {
    let [title, agenda, place, heading, text, name] = SPILLED;
    let handbook = secretary.handbook();
    let meeting = handbook
        .publish_notice(notice(title, agenda, place), vec![])
        .unwrap();
    let file = attached(village, name);
    let path = file.path.clone();
    let document = handbook
        .publish_document_with_attachments(document(title, heading, text), vec![file])
        .unwrap();
    std::fs::remove_file(path).unwrap();
    handbook.sync().unwrap();
    assert!(handbook.outbox().unwrap().unsent.is_empty());
    (meeting, document)
}

fn purge(data: &Path, spill: Spill) -> commune::Cleared {
    commune::purge(data, spill, sotay_server::system_clock()).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Which of the words stand in these bytes, in whatever form.
fn words_in(bytes: &[u8]) -> Vec<&'static str> {
    let forms = [Form::Nfc, Form::Nfd, Form::Utf16Le, Form::Utf16Be];
    let holds = |word: &str| {
        forms.iter().any(|form| {
            let needle = form.of(word);
            bytes.windows(needle.len()).any(|part| part == needle)
        })
    };
    SPILLED
        .into_iter()
        .chain([IN_FILE])
        .filter(|word| holds(word))
        .collect()
}

fn on_server(data: &Path) -> Vec<String> {
    let found = |path: PathBuf| {
        let words = words_in(&std::fs::read(&path).unwrap());
        words
            .into_iter()
            .map(move |word| format!("{word} in {}", path.display()))
    };
    files(data).into_iter().flat_map(found).collect()
}

/// What a phone's files show to whoever has its key: the pages of its database, those in no use too, and its attachments.
fn on_phone(phone: &Phone) -> Vec<&'static str> {
    let mut database = open_database(phone).unwrap();
    let mut found = words_in(&database.serialize("main").unwrap());
    for path in files(phone.folder()) {
        let bytes = std::fs::read(&path).unwrap();
        found.extend(words_in(&bytes));
        // What lies in the log is ciphered and cannot be searched.
        if path.extension().is_some_and(|name| name == "db-wal") && !bytes.is_empty() {
            found.push("a log");
        }
    }
    found
}

fn shows_file(handbook: &Handbook, document: DocumentKey) -> bool {
    handbook.read_attachment(document, 0, 0, 100).is_ok()
}

/// The phone after its log was written back.
fn settled(phone: &mut Phone) {
    phone.restart().unwrap();
}

#[test]
fn spill_what_was_removed_is_in_no_file_of_server_and_phones_and_screens_say_so() {
    let village = Village::new();
    let mut secretary = village.phone("c1-01");
    let mut member = village.phone("c1-05");
    let mut away = village.phone("c1-06");
    let (meeting, document) = spilled(&village, &secretary);
    for phone in [&member, &away] {
        phone.handbook().sync().unwrap();
        phone.handbook().fetch_attachment(document, 0).unwrap();
        assert!(shows_file(phone.handbook(), document));
    }
    member
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    member.handbook().sync().unwrap();
    settled(&mut away);
    assert_eq!(on_phone(&away).len(), SPILLED.len());
    let before: String = on_server(&village.data()).concat();
    assert!(SPILLED.iter().all(|word| before.contains(word)) && before.contains(IN_FILE));

    let cleared = purge(&village.data(), Spill::Record(meeting.0));
    assert_eq!((cleared.records, cleared.files), (1, 0));
    let cleared = purge(&village.data(), Spill::Record(document.0));
    assert_eq!((cleared.records, cleared.files), (2, 1));
    assert_eq!(on_server(&village.data()), Vec::<String>::new());

    // Each phone at its next contact, also one that was away.
    for phone in [&mut secretary, &mut member, &mut away] {
        phone.handbook().sync().unwrap();
        settled(phone);
        assert_eq!(on_phone(phone), Vec::<&str>::new(), "{}", phone.name);
        let handbook = phone.handbook();
        let view = handbook.meeting(meeting).unwrap();
        assert_eq!(view.card.title, REMOVED);
        let view = handbook.document(document).unwrap();
        assert_eq!((view.card.title, view.contents.len()), (REMOVED.into(), 1));
        assert_eq!(view.attachments[0].name, REMOVED);
        assert_eq!(
            handbook.fetch_attachment(document, 0),
            Err(HandbookError::NotHere)
        );
        agree(phone, &village.data()).unwrap();
    }
    // What was only about it stays: the meeting is still one, and the answer counts.
    let view = member.handbook().meeting(meeting).unwrap();
    assert_eq!(view.card.my_answer.unwrap().choice, Choice::WillAttend);
    // The author's journal does not bring it back where the database is lost.
    let folder = secretary.folder().to_owned();
    secretary.handbook().shutdown().unwrap();
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(
            folder.join(format!("handbook.db{ending}")),
        ));
    }
    settled(&mut secretary);
    settled(&mut secretary);
    assert_eq!(on_phone(&secretary), Vec::<&str>::new());

    // The log says that it was done, and not what it was.
    let mut storage = Storage::open(&village.data().join(commune::DATABASE)).unwrap();
    let transaction = storage.read().unwrap();
    let mut events = Vec::new();
    let collect = |entry: sotay_server::audit::Entry| {
        events.extend(entry.event());
        true
    };
    transaction.audit_entries(None, collect).unwrap();
    let purged = |event: &&Event| matches!(event, Event::Purged { .. });
    assert_eq!(events.iter().filter(purged).count(), 2);
    let whole = commune::verify_audit(&village.data(), None).unwrap();
    assert!(whole.is_ok(), "{whole:?}");
}

/// The server killed, a backup put in place, and the server again at its address.
fn restored(village: Village, backup: &Path, identity: &Path) -> Village {
    let address = village.server.address();
    let Village {
        server,
        commune,
        folder,
    } = village;
    server.kill().unwrap();
    let data = folder.path().join("server");
    commune::restore(&data, backup, identity, sotay_server::system_clock()).unwrap();
    let server = ServerProcess::start(&Program::find().unwrap(), &data, address).unwrap();
    Village {
        server,
        commune,
        folder,
    }
}

fn backed_up(village: &Village, name: &str) -> (PathBuf, PathBuf) {
    let identity = village.path().join(name).with_extension("txt");
    let recipient = commune::make_identity(&identity).unwrap();
    let backup = village.path().join(name);
    let now = sotay_server::system_clock();
    commune::back_up(&village.data(), &backup, &[recipient], now).unwrap();
    (backup, identity)
}

#[test]
fn spill_an_old_backup_does_not_bring_it_back_and_neither_does_a_phone_that_still_holds_it() {
    let village = Village::new();
    let mut author = village.phone("c1-01");
    let mut member = village.phone("c1-05");
    let (meeting, document) = spilled(&village, &author);
    member.handbook().sync().unwrap();
    member.handbook().fetch_attachment(document, 0).unwrap();
    let (backup, identity) = backed_up(&village, "backup.age");
    purge(&village.data(), Spill::Record(meeting.0));
    purge(&village.data(), Spill::Record(document.0));

    // The author was away when it was removed, and still keeps what the server accepted.
    let village = restored(village, &backup, &identity);
    assert_eq!(on_server(&village.data()), Vec::<String>::new());
    for phone in [&mut author, &mut member] {
        for _ in 0..2 {
            phone.handbook().sync().unwrap();
        }
        settled(phone);
        assert_eq!(on_phone(phone), Vec::<&str>::new(), "{}", phone.name);
        let view = phone.handbook().meeting(meeting).unwrap();
        assert_eq!(view.card.title, REMOVED);
        agree(phone, &village.data()).unwrap();
    }
    assert_eq!(on_server(&village.data()), Vec::<String>::new());
}

#[test]
fn spill_a_phone_does_not_put_back_what_a_backup_from_before_it_never_had() {
    let village = Village::new();
    let mut author = village.phone("c1-01");
    let (backup, identity) = backed_up(&village, "backup.age");
    let (meeting, document) = spilled(&village, &author);
    purge(&village.data(), Spill::Record(meeting.0));
    purge(&village.data(), Spill::Record(document.0));

    let village = restored(village, &backup, &identity);
    for _ in 0..2 {
        author.handbook().sync().unwrap();
    }
    assert_eq!(on_server(&village.data()), Vec::<String>::new());
    // Sent again, refused with the reason, and without its words from then on.
    let outbox = author.handbook().outbox().unwrap();
    assert!(outbox.unsent.is_empty());
    assert_eq!(outbox.refused.len(), 2);
    for line in &outbox.refused {
        let removed = Rejection::Removed {
            field: Field::Mutation,
        };
        assert_eq!(line.refusal, Some(removed), "{}", line.intent);
    }
    settled(&mut author);
    assert_eq!(on_phone(&author), Vec::<&str>::new());
    assert_eq!(
        author.handbook().meeting(meeting).unwrap_err(),
        HandbookError::NotHere
    );
}

#[test]
fn spill_what_was_not_sent_yet_and_refers_to_it_comes_back_with_the_reason() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let mut deputy = village.phone("c1-02");
    let (meeting, document) = spilled(&village, &secretary);
    deputy.handbook().sync().unwrap();
    // Without a network: an edit of the text, a notice that names the document, and an answer.
    let version = deputy.handbook().meeting(meeting).unwrap().base;
    let [title, agenda, ..] = SPILLED;
    deputy
        .handbook()
        .change_notice(meeting, version, notice(title, agenda, "Nơi khác"), false)
        .unwrap();
    let mut naming = notice("Họp về một văn bản", "Đọc văn bản", "Nhà văn hóa");
    naming.documents = vec![document];
    deputy.handbook().publish_notice(naming, vec![]).unwrap();
    deputy
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    purge(&village.data(), Spill::Record(meeting.0));
    purge(&village.data(), Spill::Record(document.0));

    deputy.handbook().sync().unwrap();
    let outbox = deputy.handbook().outbox().unwrap();
    assert!(outbox.unsent.is_empty());
    let refused: Vec<_> = outbox
        .refused
        .iter()
        .map(|line| {
            (
                line.intent.as_str(),
                line.refusal.clone(),
                line.words.clone(),
            )
        })
        .collect();
    let removed = |field| Some(Rejection::Removed { field });
    assert_eq!(
        refused,
        [
            (
                "ChangeNotice",
                removed(Field::Mutation),
                Some(REMOVED.into())
            ),
            (
                "PublishNotice",
                removed(Field::Documents),
                // Only names it: the author's words stay.
                Some("Họp về một văn bản".into())
            ),
        ]
    );
    settled(&mut deputy);
    assert_eq!(on_phone(&deputy), Vec::<&str>::new());
    assert_eq!(on_server(&village.data()), Vec::<String>::new());
    let answer = deputy.handbook().meeting(meeting).unwrap().card.my_answer;
    assert_eq!(answer.unwrap().choice, Choice::WillAttend);
    // A corrected notice goes on from there.
    let version = deputy.handbook().meeting(meeting).unwrap().base;
    let corrected = notice("Họp chi bộ", "Một việc khác", "Nhà văn hóa");
    deputy
        .handbook()
        .change_notice(meeting, version, corrected, false)
        .unwrap();
    deputy.handbook().sync().unwrap();
    let view = deputy.handbook().meeting(meeting).unwrap();
    assert_eq!(view.card.title, "Họp chi bộ");
}

#[test]
fn spill_the_same_file_and_the_same_long_text_are_refused_from_then_on() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let mut deputy = village.phone("c1-02");
    let (_, document_key) = spilled(&village, &secretary);
    purge(&village.data(), Spill::Record(document_key.0));

    let handbook = deputy.handbook();
    let file = attached(&village, "Tên khác");
    handbook
        .publish_document_with_attachments(document("Khác", "Mục", "Lời khác."), vec![file])
        .unwrap();
    let [_, _, _, heading, text, _] = SPILLED;
    handbook
        .publish_document(document("Khác nữa", "Mục", text))
        .unwrap();
    // What everybody may write stays allowed: a short heading is no secret.
    handbook
        .publish_document(document("Được", heading, "Lời khác."))
        .unwrap();
    handbook.sync().unwrap();
    let refused: Vec<_> = handbook
        .outbox()
        .unwrap()
        .refused
        .into_iter()
        .map(|line| line.refusal.unwrap())
        .collect();
    let removed = |field| Rejection::Removed { field };
    assert_eq!(refused, [removed(Field::Attachments), removed(Field::Text)]);
    let digest = BlobDigest::of(&file_bytes()).to_string();
    let names = |path: PathBuf| path.to_string_lossy().into_owned();
    let mut stored = files(&village.data()).into_iter().map(names);
    assert!(!stored.any(|name| name.contains(&digest)));
    settled(&mut deputy);
    let outgoing = deputy.folder().join("blobs").join("outgoing");
    deputy.handbook().sync().unwrap();
    assert!(!outgoing.exists() || files(&outgoing).is_empty());
}

#[test]
fn spill_a_file_alone_is_removed_and_the_document_stays_readable() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let member = village.phone("c1-05");
    let (_, document) = spilled(&village, &secretary);
    member.handbook().sync().unwrap();
    member.handbook().fetch_attachment(document, 0).unwrap();
    let cleared = purge(&village.data(), Spill::File(BlobDigest::of(&file_bytes())));
    assert_eq!((cleared.records, cleared.files), (1, 1));
    for phone in [&secretary, &member] {
        phone.handbook().sync().unwrap();
        let view = phone.handbook().document(document).unwrap();
        assert_eq!(
            (view.card.title.as_str(), view.attachments.len()),
            (SPILLED[0], 1)
        );
        assert_eq!(view.attachments[0].name, REMOVED);
        assert!(!shows_file(phone.handbook(), document));
        let storage = phone.handbook().attachment_storage().unwrap();
        assert_eq!(storage.used, 0);
        agree(phone, &village.data()).unwrap();
    }
    // Once more changes nothing.
    let again = purge(&village.data(), Spill::File(BlobDigest::of(&file_bytes())));
    assert_eq!((again.records, again.files), (0, 0));
}
