//! Attachments between real phones over a real server: fetched in pieces, checked, kept sealed, and gone with their record.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{Village, publish};
use sotay_client::documents::{AttachmentForm, AttachmentView, DocumentForm, SectionForm};
use sotay_client::{Handbook, HandbookError, ServerFault};
use sotay_model::blob::{MAX_BLOB_BYTES, PIECE_BYTES, PieceDigests};
use sotay_model::cbor::{self, UnknownKeys};
use sotay_model::device_key::PublicKey;
use sotay_model::documents::{
    Attachment, ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft,
};
use sotay_model::meetings::Choice;
use sotay_model::organisation::{EnterMember, MemberStatus};
use sotay_model::rejection::{Fault, Field, Rejection};
use sotay_model::wire::{PROTOCOL, Sent, SyncRequest, Verdict};
use sotay_model::{BlobDigest, DocumentKey, Id, InstallationId, Mutation, RecordKey, Scope};
use sotay_server::blobs::Blobs;
use sotay_server::engine::{Asked, Engine};
use sotay_server::storage::{Installation, Storage};
use sotay_tests::network::Network;
use sotay_tests::phone::{FileVault, Phone};
use sotay_tests::server::{Program, ServerProcess};

const PIECE: u64 = PIECE_BYTES as u64;
/// More than TLS, heads and a sync add to one connection.
const CONNECTION: u64 = 24 << 10;
/// More than TLS and heads add to one piece.
const AROUND_A_PIECE: u64 = 4 << 10;
const KILLS: u64 = 10;

/// Bytes that no two seeds share and nothing compresses.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

fn form(title: &str) -> DocumentForm {
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
            heading: "Mục".into(),
            text: "Xem tệp đính kèm.".into(),
        }],
    }
}

fn pdf(folder: &Path, bytes: &[u8]) -> AttachmentForm {
    let path = folder.join("to attach.pdf");
    std::fs::write(&path, bytes).unwrap();
    AttachmentForm {
        name: "Nghị quyết.pdf".into(),
        media_type: "application/pdf".into(),
        path: path.to_string_lossy().into_owned(),
    }
}

/// Lays a document with one attachment out; the file it came from is gone afterwards.
fn lay_out(village: &Village, secretary: &Phone, bytes: &[u8]) -> DocumentKey {
    let file = pdf(village.path(), bytes);
    let path = file.path.clone();
    let document = secretary
        .handbook()
        .publish_document_with_attachments(form("Nghị quyết mẫu"), vec![file])
        .unwrap();
    std::fs::remove_file(path).unwrap();
    document
}

/// The same, and sent.
fn published(village: &Village, secretary: &Phone, bytes: &[u8]) -> DocumentKey {
    let document = lay_out(village, secretary, bytes);
    secretary.handbook().sync().unwrap();
    assert_eq!(secretary.handbook().outbox().unwrap().unsent.len(), 0);
    document
}

fn shown(handbook: &Handbook, document: DocumentKey) -> AttachmentView {
    let mut view = handbook.document(document).unwrap();
    view.attachments.remove(0)
}

fn read(handbook: &Handbook, document: DocumentKey) -> Result<Vec<u8>, HandbookError> {
    let mut bytes = Vec::new();
    loop {
        let at = u32::try_from(bytes.len()).unwrap();
        let part = handbook.read_attachment(document, 0, at, u32::MAX)?;
        if part.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(part);
    }
}

/// The one sealed file of a phone.
fn sealed_file(phone: &Phone) -> PathBuf {
    let files = sealed_files(phone);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn sealed_files(phone: &Phone) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(phone.folder().join("blobs")) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| !path.is_dir()).collect()
}

fn flip(path: &Path, at: u64) {
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 0x20]).unwrap();
}

/// Waits for what another thread or process does.
fn until(mut happened: impl FnMut() -> bool) {
    while !happened() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How many bytes came down to the phone during a call.
fn came_down<T>(network: &Network, call: impl FnOnce() -> T) -> (u64, T) {
    let before = network.passed().1;
    let result = call();
    (network.passed().1 - before, result)
}

/// Where the server keeps a blob.
fn on_the_server(village: &Village, document: DocumentKey, bytes: &[u8]) -> PathBuf {
    let home = document.0.home.to_string().replace(':', "-");
    let digest = BlobDigest::of(bytes).to_string();
    village.data().join("blobs").join(home).join(digest)
}

#[test]
fn promise_27_an_attachment_is_readable_where_it_was_made_and_elsewhere_once_it_is_fetched() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(1, 700_000);
    let document = lay_out(&village, &secretary, &bytes);
    // Before it is sent, and after.
    assert!(shown(secretary.handbook(), document).ready);
    assert_eq!(read(secretary.handbook(), document), Ok(bytes.clone()));
    secretary.handbook().sync().unwrap();
    assert!(shown(secretary.handbook(), document).ready);
    assert_eq!(read(secretary.handbook(), document), Ok(bytes.clone()));

    let member = village.phone("c1-05");
    let view = shown(member.handbook(), document);
    assert_eq!(
        view,
        AttachmentView {
            name: "Nghị quyết.pdf".into(),
            media_type: "application/pdf".into(),
            size: 700_000,
            present: 0,
            ready: false,
            pinned: false,
        }
    );
    assert_eq!(
        read(member.handbook(), document),
        Err(HandbookError::NotHere)
    );
    member.handbook().fetch_attachment(document, 0).unwrap();
    let view = shown(member.handbook(), document);
    assert_eq!((view.ready, view.present), (true, 700_000));
    assert_eq!(read(member.handbook(), document), Ok(bytes.clone()));
    // A part across two pieces, at the end, and behind it.
    for (offset, length) in [
        (PIECE_BYTES - 10, 20),
        (699_990, 100),
        (700_000, 5),
        (800_000, 5),
    ] {
        let part = member
            .handbook()
            .read_attachment(document, 0, offset, length);
        let start = (offset as usize).min(bytes.len());
        let end = (start + length as usize).min(bytes.len());
        assert_eq!(part.unwrap(), &bytes[start..end]);
    }
    assert_eq!(
        member.handbook().fetch_attachment(document, 1),
        Err(HandbookError::NotHere)
    );
    // Nothing of it lies about in the clear.
    let sealed = std::fs::read(sealed_file(&member)).unwrap();
    let beginning = &bytes[..32];
    assert!(!sealed.windows(32).any(|part| part == beginning));
}

const FOLDER: &str = "SOTAY_TEST_FOLDER";
const DOCUMENT: &str = "SOTAY_TEST_DOCUMENT";

fn open(folder: &Path) -> Arc<Handbook> {
    let vault = Arc::new(FileVault(folder.with_extension("key")));
    Handbook::open(folder.to_string_lossy().into_owned(), vault).unwrap()
}

/// Not a test of its own: what the next one starts and kills.
#[test]
fn a_phone_that_fetches_until_it_is_killed() {
    let (Ok(folder), Ok(document)) = (std::env::var(FOLDER), std::env::var(DOCUMENT)) else {
        return;
    };
    let handbook = open(Path::new(&folder));
    handbook
        .fetch_attachment(document.parse().unwrap(), 0)
        .unwrap();
}

#[test]
fn promise_27_a_fetch_killed_ten_times_goes_on_where_it_was() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let pieces = 60;
    let bytes = noise(2, (pieces * PIECE - 1_000) as usize);
    let document = published(&village, &secretary, &bytes);
    let network = village.network();
    let phone = village.phone_through("c1-05", network.address());
    phone.handbook().shutdown().unwrap();
    network.slow(6 << 20, Duration::from_millis(2));

    let before = network.passed().1;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_phone_that_fetches_until_it_is_killed"])
            .env(FOLDER, phone.folder())
            .env(DOCUMENT, document.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Anywhere between the handshake and the third piece.
        let at = network.passed().1 + u64::from(noise(100 + kill, 1)[0]) * (3 * PIECE / 256);
        until(|| network.passed().1 >= at || child.try_wait().unwrap().is_some());
        assert!(child.try_wait().unwrap().is_none(), "it was done too early");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let handbook = open(phone.folder());
    assert!(!shown(&handbook, document).ready);
    assert_eq!(read(&handbook, document), Err(HandbookError::NotHere));
    handbook.fetch_attachment(document, 0).unwrap();
    assert_eq!(read(&handbook, document), Ok(bytes.clone()));

    let came = network.passed().1 - before;
    let needed = bytes.len() as u64 + pieces * AROUND_A_PIECE + CONNECTION;
    let most = needed + KILLS * (PIECE + AROUND_A_PIECE + CONNECTION);
    println!(
        "{} bytes, {KILLS} kills: {came} came down, {} more than once",
        bytes.len(),
        came.saturating_sub(bytes.len() as u64),
    );
    assert!(came <= most, "{came} came down, at most {most} may");
}

#[test]
fn promise_27_a_chunk_damaged_on_the_phone_is_found_and_fetched_again_alone() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(3, (8 * PIECE + 77) as usize);
    let document = published(&village, &secretary, &bytes);
    let network = village.network();
    let phone = village.phone_through("c1-05", network.address());
    let handbook = phone.handbook();
    handbook.fetch_attachment(document, 0).unwrap();
    let file = sealed_file(&phone);
    let length = std::fs::metadata(&file).unwrap().len();

    for (at, piece) in [(16, 0), (5 * (PIECE + 64) + 1_000, 5), (length - 1, 8)] {
        flip(&file, at);
        let part = handbook.read_attachment(document, 0, (piece * PIECE) as u32, 1);
        assert_eq!(part, Err(HandbookError::NotHere), "flipped at {at}");
        assert!(!shown(handbook, document).ready);
        let (came, fetched) = came_down(&network, || handbook.fetch_attachment(document, 0));
        fetched.unwrap();
        let most = PIECE + AROUND_A_PIECE + CONNECTION;
        assert!(came <= most, "{came} came down for the piece at {at}");
        assert_eq!(read(handbook, document), Ok(bytes.clone()));
    }
    // A lost end, as after a power failure.
    std::fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .unwrap()
        .set_len(length - 1)
        .unwrap();
    assert_eq!(read(handbook, document), Err(HandbookError::NotHere));
    handbook.fetch_attachment(document, 0).unwrap();
    assert_eq!(read(handbook, document), Ok(bytes));
}

#[test]
fn promise_27_a_chunk_that_arrives_damaged_is_never_readable_and_fetched_again_alone() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(4, (6 * PIECE) as usize);
    let document = published(&village, &secretary, &bytes);
    let network = village.network();
    let phone = village.phone_through("c1-05", network.address());
    let handbook = phone.handbook();
    let served = on_the_server(&village, document, &bytes);
    flip(&served, 4 * PIECE + 9);

    let refused = HandbookError::ServerUnexpected {
        address: network.address().to_string(),
        fault: ServerFault::Protocol,
    };
    assert_eq!(handbook.fetch_attachment(document, 0), Err(refused.clone()));
    assert_eq!(read(handbook, document), Err(HandbookError::NotHere));
    assert_eq!(shown(handbook, document).present, (4 * PIECE) as u32);
    // Still wrong: only the wrong piece is asked for, a few times, and no endless loop.
    let (came, again) = came_down(&network, || handbook.fetch_attachment(document, 0));
    assert_eq!(again, Err(refused));
    assert!(came <= 2 * (PIECE + AROUND_A_PIECE) + CONNECTION, "{came}");

    flip(&served, 4 * PIECE + 9);
    let (came, fetched) = came_down(&network, || handbook.fetch_attachment(document, 0));
    fetched.unwrap();
    assert!(came <= 2 * (PIECE + AROUND_A_PIECE) + CONNECTION, "{came}");
    assert_eq!(read(handbook, document), Ok(bytes));
}

#[test]
fn promise_27_nothing_is_readable_until_the_last_byte_is_checked() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(5, (4 * PIECE + 5) as usize);
    let document = published(&village, &secretary, &bytes);
    let network = village.network();
    let mut phone = village.phone_through("c1-05", network.address());
    for cut_after in [100, PIECE, 2 * PIECE, 2 * PIECE] {
        network.cut_after(cut_after);
        let cut = phone.handbook().fetch_attachment(document, 0);
        assert!(
            matches!(
                cut,
                Err(HandbookError::ServerUnexpected { .. }
                    | HandbookError::ServerUnreachable { .. })
            ),
            "{cut:?}"
        );
        for offset in [0, PIECE_BYTES, 4 * PIECE_BYTES] {
            let part = phone.handbook().read_attachment(document, 0, offset, 1);
            assert_eq!(part, Err(HandbookError::NotHere));
        }
        assert!(!shown(phone.handbook(), document).ready);
        phone.restart().unwrap();
    }
    // Of what came, all whole pieces are kept.
    let present = shown(phone.handbook(), document).present;
    assert_eq!(u64::from(present), 2 * PIECE);
    phone.handbook().fetch_attachment(document, 0).unwrap();
    assert_eq!(read(phone.handbook(), document), Ok(bytes));
}

#[test]
fn promise_22_a_fetch_ends_at_a_pause_with_its_files_closed_and_goes_on_afterwards() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(6, (8 * PIECE) as usize);
    let document = published(&village, &secretary, &bytes);
    let network = village.network();
    let phone = village.phone_through("c1-05", network.address());
    network.slow(2 << 20, Duration::from_millis(5));
    let before = network.passed().1;
    let fetching = phone.shared();
    let fetch = std::thread::spawn(move || fetching.fetch_attachment(document, 0));
    until(|| network.passed().1 >= before + PIECE);
    phone.handbook().pause(2_000).unwrap();
    assert_eq!(fetch.join().unwrap(), Err(HandbookError::Paused));
    let held = std::fs::read_dir("/proc/self/fd").unwrap();
    let ours: Vec<_> = held
        .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
        .filter(|path| path.starts_with(phone.folder()))
        .collect();
    assert_eq!(ours, Vec::<PathBuf>::new());
    phone.handbook().resume().unwrap();
    phone.handbook().fetch_attachment(document, 0).unwrap();
    assert_eq!(read(phone.handbook(), document), Ok(bytes));
}

#[test]
fn promise_21_a_full_disk_during_a_fetch_is_told_and_nothing_is_lost() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(7, (3 * PIECE) as usize);
    let document = published(&village, &secretary, &bytes);
    let network = village.network();
    let phone = village.phone_through("c1-05", network.address());
    network.cut_after(PIECE + PIECE / 2);
    phone.handbook().fetch_attachment(document, 0).unwrap_err();
    let file = sealed_file(&phone);
    let aside = village.path().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    // Every write to it finds the disk full.
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    assert_eq!(
        phone.handbook().fetch_attachment(document, 0),
        Err(HandbookError::StorageFull)
    );
    assert_eq!(
        read(phone.handbook(), document),
        Err(HandbookError::NotHere)
    );
    phone.handbook().sync().unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    let (came, fetched) = came_down(&network, || phone.handbook().fetch_attachment(document, 0));
    fetched.unwrap();
    assert!(came <= 2 * (PIECE + AROUND_A_PIECE) + CONNECTION, "{came}");
    assert_eq!(read(phone.handbook(), document), Ok(bytes));
}

#[test]
fn promise_21_storage_that_ends_at_any_byte_of_a_fetch_loses_nothing() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(60, (32 * PIECE) as usize);
    let document = published(&village, &secretary, &bytes);
    let phone = village.phone("c1-05");
    phone.handbook().shutdown().unwrap();
    let mut present = 0;
    // No file may grow beyond so many blocks of the shell's.
    for blocks in [2_000, 2_049, 2_500, 3_001, 3_777, 4_096] {
        let ended = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\""])
            .arg(blocks.to_string())
            .arg(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "a_phone_that_fetches_until_it_is_killed",
                "--nocapture",
            ])
            .env(FOLDER, phone.folder())
            .env(DOCUMENT, document.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success());
        assert!(said.contains("StorageFailed"), "{said}");
        let handbook = open(phone.folder());
        let view = shown(&handbook, document);
        assert!(!view.ready && view.present >= present, "{view:?}");
        assert_eq!(read(&handbook, document), Err(HandbookError::NotHere));
        present = view.present;
        handbook.shutdown().unwrap();
    }
    assert!(present > 0);
    let handbook = open(phone.folder());
    handbook.fetch_attachment(document, 0).unwrap();
    assert_eq!(read(&handbook, document), Ok(bytes));
}

#[test]
fn promise_16_the_blobs_of_a_revoked_scope_go_and_others_stay() {
    let village = Village::new();
    let (first, second) = (village.phone("c1-01"), village.phone("c2-01"));
    let document = published(&village, &first, &noise(8, 300_000));
    let elsewhere = published(&village, &second, &noise(9, 300_000));
    let phone = village.phone("c1-05");
    phone.handbook().fetch_attachment(document, 0).unwrap();
    phone.handbook().pin_attachment(document, 0, true).unwrap();
    let other = village.phone("c1-06");
    other.handbook().fetch_attachment(document, 0).unwrap();
    assert_eq!(sealed_files(&phone).len(), 1);

    let mut engine = Engine::new(Storage::open(&village.data().join("sotay.db")).unwrap());
    let moved = EnterMember {
        id: village.commune.members["c1-05"],
        cell: village.commune.organisations["c2"],
        name: "Đồng chí Mẫu c1 05".into(),
        status: MemberStatus::Official,
        phone: None,
        born: None,
        born_year: None,
        admitted_on: None,
        official_on: None,
        card_number: None,
        card_issued_on: None,
        card_issued_by: None,
    };
    engine
        .enter([moved.into()], sotay_server::system_clock())
        .unwrap()
        .unwrap();
    phone.handbook().sync().unwrap();
    assert_eq!(sealed_files(&phone), Vec::<PathBuf>::new());
    assert_eq!(phone.handbook().attachment_storage().unwrap().used, 0);
    assert_eq!(
        read(phone.handbook(), document),
        Err(HandbookError::NotHere)
    );
    assert_eq!(
        phone.handbook().fetch_attachment(document, 0),
        Err(HandbookError::NotHere)
    );
    // What the new cell shows can be had; whoever stayed keeps what he had.
    phone.handbook().fetch_attachment(elsewhere, 0).unwrap();
    other.handbook().sync().unwrap();
    assert_eq!(sealed_files(&other).len(), 1);
    assert_eq!(read(other.handbook(), document), Ok(noise(8, 300_000)));
}

#[test]
fn a_document_waits_for_its_attachment_and_nothing_waits_for_the_document() {
    let village = Village::new();
    let network = village.network();
    let mut secretary = village.phone_through("c1-01", network.address());
    let member = village.phone("c1-05");
    let bytes = noise(10, (6 * PIECE + 3) as usize);
    let document = lay_out(&village, &secretary, &bytes);
    network.slow(4 << 20, Duration::from_millis(2));
    let up = network.passed().0;
    let syncing = secretary.shared();
    let sync = std::thread::spawn(move || syncing.sync());
    until(|| network.passed().0 >= up + 3 * PIECE);
    network.cut();
    sync.join().unwrap().unwrap_err();
    network.restore();
    member.handbook().sync().unwrap();
    assert_eq!(
        member.handbook().document(document),
        Err(HandbookError::NotHere)
    );
    secretary.restart().unwrap();
    assert_eq!(secretary.handbook().outbox().unwrap().unsent.len(), 1);

    // The server is stopped too; what it has, it keeps.
    let file = on_the_server(&village, document, &bytes);
    assert!(!file.exists(), "a blob that is not whole is not there");
    let up = network.passed().0;
    publish(&secretary, "Sinh hoạt");
    assert_eq!(secretary.handbook().outbox().unwrap().unsent.len(), 0);
    let sent = network.passed().0 - up;
    assert!(
        sent <= 4 * (PIECE + AROUND_A_PIECE) + CONNECTION,
        "{sent} went up again"
    );
    member.handbook().sync().unwrap();
    member.handbook().fetch_attachment(document, 0).unwrap();
    assert_eq!(read(member.handbook(), document), Ok(bytes));
}

#[test]
fn an_attachment_not_yet_sent_outlives_a_broken_database() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let bytes = noise(11, 400_000);
    let document = lay_out(&village, &secretary, &bytes);
    secretary.handbook().shutdown().unwrap();
    std::fs::write(secretary.folder().join("handbook.db"), noise(12, 8_192)).unwrap();
    let vault = Arc::new(FileVault(secretary.folder().with_extension("key")));
    let folder = secretary.folder().to_string_lossy().into_owned();
    let handbook = Handbook::rebuild(folder, vault).unwrap();
    assert_eq!(handbook.sync().unwrap().accepted, 1);
    assert_eq!(read(&handbook, document), Ok(bytes.clone()));
    let member = village.phone("c1-05");
    member.handbook().fetch_attachment(document, 0).unwrap();
    assert_eq!(read(member.handbook(), document), Ok(bytes));
}

#[test]
fn what_was_not_used_longest_makes_room_and_what_is_pinned_stays() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let documents: Vec<DocumentKey> = (20..24)
        .map(|seed| published(&village, &secretary, &noise(seed, 300_000)))
        .collect();
    let phone = village.phone("c1-05");
    let handbook = phone.handbook();
    handbook.pin_attachment(documents[0], 0, true).unwrap();
    assert_eq!(handbook.fetch_pinned_attachments(), Ok(1));
    assert_eq!(handbook.fetch_pinned_attachments(), Ok(0));
    handbook.set_attachment_quota(1_000_000).unwrap();
    let ready = || {
        documents
            .iter()
            .map(|document| shown(handbook, *document).ready)
            .collect::<Vec<_>>()
    };
    handbook.fetch_attachment(documents[1], 0).unwrap();
    handbook.fetch_attachment(documents[2], 0).unwrap();
    assert_eq!(ready(), [true, true, true, false]);
    // The second is used again, so the third goes.
    handbook.fetch_attachment(documents[1], 0).unwrap();
    handbook.fetch_attachment(documents[3], 0).unwrap();
    assert_eq!(ready(), [true, true, false, true]);
    assert_eq!(sealed_files(&phone).len(), 3);
    assert_eq!(handbook.attachment_storage().unwrap().used, 900_000);

    handbook.set_attachment_quota(300_000).unwrap();
    assert_eq!(ready(), [true, false, false, false]);
    assert_eq!(sealed_files(&phone).len(), 1);
    assert_eq!(
        handbook.set_attachment_quota(299_999),
        Err(HandbookError::StorageFull)
    );
    assert_eq!(
        handbook.fetch_attachment(documents[1], 0),
        Err(HandbookError::StorageFull)
    );
    assert_eq!(ready(), [true, false, false, false]);
    assert_eq!(handbook.attachment_storage().unwrap().quota, 300_000);
    handbook.pin_attachment(documents[0], 0, false).unwrap();
    handbook.fetch_attachment(documents[1], 0).unwrap();
    assert_eq!(ready(), [false, true, false, false]);
}

#[test]
fn files_that_cannot_be_attached_are_refused_and_leave_nothing() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let handbook = secretary.handbook();
    let good = pdf(village.path(), b"%PDF-1.7 mau");
    let attach = |file: AttachmentForm| {
        handbook.publish_document_with_attachments(form("Nghị quyết mẫu"), vec![file])
    };
    let refused = |why| Err(HandbookError::Refused { why });
    let invalid = |field, why| refused(Rejection::Invalid { field, why });
    let at = |path: &Path| AttachmentForm {
        path: path.to_string_lossy().into_owned(),
        ..good.clone()
    };
    let empty = village.path().join("empty");
    std::fs::write(&empty, b"").unwrap();
    let large = village.path().join("large");
    let sparse = std::fs::File::create(&large).unwrap();
    sparse.set_len(u64::from(MAX_BLOB_BYTES) + 1).unwrap();
    let missing = HandbookError::StorageFailed { code: 2 };
    assert_eq!(attach(at(&village.path().join("missing"))), Err(missing));
    assert_eq!(
        attach(at(&empty)),
        invalid(Field::Attachments, Fault::Empty)
    );
    let limit = MAX_BLOB_BYTES;
    let field = Field::Attachments;
    assert_eq!(
        attach(at(&large)),
        refused(Rejection::TooLarge { field, limit })
    );
    let program = AttachmentForm {
        media_type: "application/x-sh".into(),
        ..good.clone()
    };
    assert_eq!(attach(program), invalid(field, Fault::UnknownValue));
    let path = AttachmentForm {
        name: "../../handbook.db".into(),
        ..good.clone()
    };
    assert_eq!(attach(path), invalid(Field::Name, Fault::Malformed));
    assert_eq!(
        handbook
            .publish_document_with_attachments(form("Nghị quyết mẫu"), vec![good.clone(), good]),
        invalid(field, Fault::Repeated)
    );
    assert_eq!(handbook.outbox().unwrap().unsent.len(), 0);
    handbook.sync().unwrap();
    let outgoing = secretary.folder().join("blobs/outgoing");
    assert_eq!(std::fs::read_dir(outgoing).unwrap().count(), 0);
}

#[test]
fn promise_27_a_record_whose_digests_contradict_each_other_never_becomes_readable() {
    let village = Village::new();
    let chair = village.commune.members["c1-01"];
    let home = Scope::organisation(village.commune.organisations["c1"]);
    let (claimed, served) = (noise(30, 300_000), noise(31, 300_000));
    let mut pieces = PieceDigests::default();
    for piece in served.chunks(PIECE_BYTES as usize) {
        pieces.push(piece);
    }
    let document = DocumentKey(RecordKey::new(home, Id::from_bytes([5; 16])));
    let publication = PublishDocument {
        document,
        title: "Nghị quyết mẫu".into(),
        number: None,
        issuer: "Chi ủy mẫu".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: "2026-11-01".parse().unwrap(),
        for_meeting: None,
        sections: vec![SectionDraft {
            number: "1".into(),
            heading: "Mục".into(),
            text: String::new(),
        }],
        attachments: vec![Attachment {
            name: "a.pdf".into(),
            media_type: "application/pdf".into(),
            size: 300_000,
            blob: BlobDigest::of(&claimed),
            pieces,
            unknown: UnknownKeys::none(),
        }],
    };
    // A phone and a server that both lie.
    let file = on_the_server(&village, document, &claimed);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, &served).unwrap();
    let now = sotay_server::system_clock();
    let storage = Storage::open(&village.data().join("sotay.db")).unwrap();
    let mut engine = Engine::new(storage).with_blobs(Arc::new(Blobs::of(&village.data())));
    let phone = Installation::joining(
        InstallationId(Id::from_bytes([6; 16])),
        chair,
        PublicKey::ed25519(&[0; 32]),
        "Máy thử".into(),
        now,
    )
    .confirmed();
    let transaction = engine.storage().write().unwrap();
    transaction.add_installation(&phone).unwrap();
    transaction.commit().unwrap();
    let mutation = Mutation {
        made_at: now,
        needs: vec![],
        intent: publication.into(),
    };
    let asked = Asked {
        installation: phone.id,
        request: SyncRequest {
            protocol: PROTOCOL,
            incarnation: 0,
            cursors: vec![],
            mutations: vec![Sent {
                n: 1,
                mutation: cbor::to_bytes(&mutation),
            }],
            max_rows: 1,
            max_bytes: 0,
            settled_through: 0,
        },
    };
    let answered = engine.handle_batch(&[asked], now).unwrap();
    let receipts = &answered.responses[0].as_ref().unwrap().receipts;
    assert!(
        matches!(receipts[0].verdict, Verdict::Done(_)),
        "{receipts:?}"
    );

    let member = village.phone("c1-05");
    let fetched = member.handbook().fetch_attachment(document, 0);
    let fault = ServerFault::Protocol;
    assert!(
        matches!(&fetched, Err(HandbookError::ServerUnexpected { fault: found, .. }) if *found == fault),
        "{fetched:?}"
    );
    assert_eq!(
        read(member.handbook(), document),
        Err(HandbookError::NotHere)
    );
    assert_eq!(sealed_files(&member), Vec::<PathBuf>::new());
}

#[test]
fn an_answer_given_while_an_attachment_goes_up_does_not_wait_for_it() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let meeting = publish(&secretary, "Sinh hoạt");
    let network = village.network();
    let deputy = village.phone_through("c1-02", network.address());
    lay_out(&village, &deputy, &noise(40, (24 * PIECE) as usize));
    network.slow(2 << 20, Duration::from_millis(2));
    let up = network.passed().0;
    let syncing = deputy.shared();
    let sync = std::thread::spawn(move || syncing.sync());
    until(|| network.passed().0 >= up + 2 * PIECE);
    deputy
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    // The answer is there while the attachment still goes up.
    until(|| deputy.handbook().outbox().unwrap().unsent.len() == 1 || sync.is_finished());
    assert!(!sync.is_finished(), "the answer waited for the attachment");
    let report = sync.join().unwrap().unwrap();
    assert_eq!((report.accepted, report.finished), (2, true));
    assert_eq!(deputy.handbook().outbox().unwrap().unsent.len(), 0);
}

#[test]
fn promise_19_a_wipe_takes_the_attachments_too() {
    let village = Village::new();
    let secretary = village.phone("c1-01");
    let document = published(&village, &secretary, &noise(41, 300_000));
    lay_out(&village, &secretary, &noise(42, 300_000));
    let phone = village.phone("c1-05");
    phone.handbook().fetch_attachment(document, 0).unwrap();
    assert_eq!(secretary.handbook().wipe(), Ok(1));
    phone.handbook().wipe().unwrap();
    for phone in [&phone, &secretary] {
        assert!(!phone.folder().join("blobs").exists());
    }
}

#[test]
fn promise_12_a_restored_server_that_lost_a_blob_gets_it_again() {
    let village = Village::new();
    let address = village.server.address();
    let database = village.data().join("sotay.db");
    let copy = village.path().join("copy.db");
    let secretary = village.phone("c1-01");
    let mut storage = Storage::open(&database).unwrap();
    storage.back_up(&copy).unwrap();
    drop(storage);
    let bytes = noise(50, 600_000);
    let document = published(&village, &secretary, &bytes);
    let held = on_the_server(&village, document, &bytes);
    assert!(held.exists());

    let data = village.data();
    let Village {
        server,
        commune,
        folder,
    } = village;
    server.kill().unwrap();
    std::fs::remove_dir_all(data.join("blobs")).unwrap();
    for ending in ["-wal", "-shm"] {
        // There need not be one.
        drop(std::fs::remove_file(data.join(format!("sotay.db{ending}"))));
    }
    std::fs::rename(&copy, &database).unwrap();
    let now = sotay_server::system_clock();
    Storage::open(&database)
        .unwrap()
        .begin_incarnation(0, now)
        .unwrap();
    let program = Program::find().unwrap();
    let village = Village {
        server: ServerProcess::start(&program, &data, address).unwrap(),
        commune,
        folder,
    };
    secretary.handbook().sync().unwrap();
    assert_eq!(secretary.handbook().outbox().unwrap().unsent.len(), 0);
    assert!(held.exists());
    let member = village.phone("c1-05");
    member.handbook().fetch_attachment(document, 0).unwrap();
    assert_eq!(read(member.handbook(), document), Ok(bytes));
}
