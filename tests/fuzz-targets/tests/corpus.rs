//! What the fuzzer kept, replayed on stable: every input of every target; and every parser of foreign bytes has a target.
//!
//! SECURITY.md, CODE and PLATFORM.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sotay_fuzz_targets::{TARGETS, seeds, target};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn target_names() -> BTreeSet<String> {
    TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect()
}

#[test]
fn code_every_kept_input_keeps_its_promises() {
    for target in TARGETS {
        let folder = root().join("fuzz/corpus").join(target.name);
        let kept = names(&folder);
        assert!(!kept.is_empty(), "{} has no corpus", target.name);
        for name in kept {
            let input = std::fs::read(folder.join(&name)).unwrap();
            assert!(
                input.len() <= target.longest.max(1),
                "{}/{name} is too long",
                target.name
            );
            // Names the input if it breaks a promise: the panic that follows does not.
            let broken = std::panic::catch_unwind(|| (target.run)(&input)).is_err();
            assert!(!broken, "fuzz/corpus/{}/{name}", target.name);
        }
    }
}

#[test]
fn code_real_messages_and_no_bytes_at_all_keep_their_promises() {
    for target in TARGETS {
        let seeds = seeds::of(target.name);
        assert!(
            !seeds.is_empty(),
            "{} has nothing to begin with",
            target.name
        );
        for seed in seeds {
            (target.run)(&seed);
        }
        (target.run)(&[]);
    }
}

#[test]
fn code_every_target_has_a_program_and_a_corpus_and_nothing_else_has() {
    let programs: BTreeSet<String> = names(&root().join("fuzz/fuzz_targets"))
        .iter()
        .map(|name| name.strip_suffix(".rs").unwrap().to_owned())
        .collect();
    assert_eq!(programs, target_names());
    assert_eq!(names(&root().join("fuzz/corpus")), target_names());
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for name in target_names() {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

/// What phone or server wrote itself, or their operator types, and reads back: no foreign bytes.
const OWN: &[&str] = &[];

/// Every file in which bytes or texts are taken apart, and the targets that reach it.
const READERS: &[(&str, &[&str])] = &[
    ("core/model/src/device_key.rs", &["session"]),
    ("core/model/src/exchange.rs", &["code"]),
    ("core/model/src/session.rs", &["session"]),
    ("core/model/src/statement.rs", &["statement"]),
    ("core/client/src/lifecycle.rs", OWN),
    ("core/client/src/engine/spills.rs", OWN),
    ("server/src/command/audit.rs", &["audit"]),
    ("server/src/command/spills.rs", &["identifier"]),
    ("server/src/engine/spills.rs", OWN),
    ("server/src/engine/words.rs", OWN),
    ("server/src/commune/backup.rs", OWN),
    ("server/src/commune/restore.rs", OWN),
    ("server/src/commune/spills.rs", OWN),
    ("server/src/engine/export.rs", &["record"]),
    ("server/src/engine/phones.rs", &["enrolment_message"]),
    ("server/src/main.rs", OWN),
    ("server/src/storage/phones.rs", OWN),
    ("core/model/src/blob.rs", &["identifier", "record"]),
    ("core/model/src/board.rs", &["board_link"]),
    (
        "core/model/src/cbor.rs",
        &["record", "mutation", "sync_request"],
    ),
    ("core/model/src/documents/rules.rs", &["mutation"]),
    (
        "core/model/src/enrolment.rs",
        &["invitation", "deep_link", "code"],
    ),
    ("core/model/src/id.rs", &["identifier"]),
    ("core/model/src/record.rs", &["record"]),
    ("core/model/src/signature.rs", &["signature"]),
    ("core/model/src/time.rs", &["identifier"]),
    ("core/client/src/blob/stream.rs", &["blob_file"]),
    ("core/client/src/blob/tidy.rs", OWN),
    (
        "core/client/src/engine/ahead.rs",
        &["sync_response_applied"],
    ),
    (
        "core/client/src/engine/mod.rs",
        &["sync_response", "sync_response_applied"],
    ),
    ("core/client/src/engine/overlay.rs", OWN),
    ("core/client/src/engine/submit.rs", OWN),
    ("core/client/src/enrol.rs", &["enrolment_message"]),
    ("core/client/src/foreign.rs", &["sync_response"]),
    ("core/client/src/journal.rs", &["journal"]),
    ("core/client/src/keys.rs", &["journal"]),
    ("core/client/src/keys_file.rs", &["keys_file"]),
    ("core/client/src/schedule.rs", &["header"]),
    ("core/client/src/state.rs", OWN),
    ("core/client/src/store/mod.rs", OWN),
    ("core/client/src/store/rows.rs", OWN),
    (
        "core/client/src/transport.rs",
        &["receipt", "anchors", "packed_response", "wake_stream"],
    ),
    ("core/client/src/transport/blobs.rs", &["receipt"]),
    ("server/src/audit/checkpoint.rs", &["audit"]),
    ("server/src/audit/mod.rs", &["audit"]),
    ("server/src/storage/audit.rs", &["audit"]),
    ("server/src/http/gate.rs", &["header"]),
    ("server/src/shape.rs", &["message_shape"]),
    ("server/src/commune/certificates.rs", OWN),
    ("server/src/commune/statement.rs", OWN),
    ("server/src/commune/config.rs", &["configuration"]),
    ("server/src/commune/days.rs", &["import_csv", "import_xlsx"]),
    ("server/src/commune/list.rs", &["import_csv", "import_xlsx"]),
    ("server/src/engine/mutations.rs", &["mutation"]),
    ("server/src/engine/nonces.rs", &["nonce"]),
    ("server/src/http/blobs.rs", &["blob_request"]),
    // A length in decimal digits, as the standard library reads it.
    ("server/src/http/bodies.rs", OWN),
    ("server/src/http/coding.rs", &["packed_request"]),
    (
        "server/src/http/routes.rs",
        &["sync_request", "enrolment_message"],
    ),
];

/// How taking bytes or texts apart looks in the source.
const SIGNS: &[&str] = &[
    "cbor::from_bytes",
    "Decoder::new(",
    "Decoder::with_buffer(",
    "UnparsedPublicKey::new(",
    "open_in_place(",
    "fn parse",
    "impl FromStr",
    ".parse()",
    ".parse::<",
    ".decode(",
    "from_str(",
    "ReaderBuilder",
    "Xlsx::new",
    "split_at_checked(",
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            into.push(path);
        }
    }
}

#[test]
fn code_every_reader_of_foreign_bytes_has_a_target() {
    let root = root();
    let mut files = Vec::new();
    for folder in [
        "core/model/src",
        "core/client/src",
        "server/src",
        "bindings/src",
    ] {
        sources(&root.join(folder), &mut files);
    }
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        if SIGNS.iter().any(|sign| code.contains(sign)) {
            let below = file.strip_prefix(&root).unwrap();
            found.insert(below.to_str().unwrap().to_owned());
        }
    }
    let named: BTreeSet<String> = READERS.iter().map(|(file, _)| (*file).to_owned()).collect();
    let missing: Vec<_> = found.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "something is read there: name the file in READERS, with a target if the bytes are foreign: {missing:?}"
    );
    let gone: Vec<_> = named.difference(&found).collect();
    assert!(gone.is_empty(), "nothing is read there any more: {gone:?}");
    for (file, targets) in READERS {
        for name in *targets {
            assert!(target(name).is_some(), "{file}: there is no target {name}");
        }
    }
}

#[test]
fn code_every_message_that_travels_has_a_target() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let wire = read("core/model/src/wire.rs");
    let targets = ["messages.rs", "http.rs"]
        .map(|name| read(&format!("tests/fuzz-targets/src/{name}")))
        .concat();
    let mut messages = 0;
    for declared in wire.split("#[derive(").skip(1) {
        let (derived, rest) = declared.split_once(")]").unwrap();
        if !derived.contains("Decode") {
            continue;
        }
        let name: String = rest
            .split_once("pub struct ")
            .or_else(|| rest.split_once("pub enum "))
            .map(|(_, rest)| rest.chars().take_while(|c| c.is_alphanumeric()).collect())
            .unwrap();
        let part = ["Option<", "Vec<", ": ", "] "].iter().any(|before| {
            [",", ">", ")"]
                .iter()
                .any(|behind| wire.contains(&format!("{before}{name}{behind}")))
        });
        assert!(
            part || targets.contains(&format!("<{name}>"))
                || targets.contains(&format!("::{name}>")),
            "{name} is read by no target: add it in tests/fuzz-targets/src/messages.rs"
        );
        messages += 1;
    }
    assert!(messages > 10, "{messages} messages");
}
