//! STORAGE-1 and STORAGE-2: two hundred words that nobody else would write go through whole sessions of two phones and a server, and then
//! no file of a phone, no log, no error, no `Debug` and no panic may show one of them, in whatever form text takes.

#![allow(clippy::unwrap_used, clippy::panic)]

mod listening;
mod session;
mod word;

use std::path::{Path, PathBuf};

use listening::Recorder;
use session::{Phones, Said};
use word::{Canaries, Form};

/// Every file below a folder.
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

/// Which canaries a folder shows: in its files, in their names.
fn shown_by(folder: &Path, canaries: &Canaries) -> Vec<String> {
    let mut shown = Vec::new();
    for path in files(folder) {
        let name = path
            .strip_prefix(folder)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(name.as_bytes());
        for (word, form) in canaries.in_bytes(&bytes) {
            shown.push(format!("{word} as {form:?} in {name}"));
        }
    }
    shown
}

#[test]
fn storage_1_and_2_no_canary_is_in_any_file_log_error_or_debug_text() {
    let recorder = Recorder::install();
    let mut canaries = Canaries::new();
    let ground = tempfile::tempdir().unwrap();
    let mut phones = Phones::new(ground.path(), &mut canaries);
    assert!(canaries.count() >= 200, "{}", canaries.count());

    let mut looked_at = 0;
    let mut look = |when: &str, phones: &Phones| {
        for folder in phones.folders() {
            looked_at += files(&folder).len();
            assert_eq!(shown_by(&folder, &canaries), Vec::<String>::new(), "{when}");
        }
        assert_eq!(
            open_elsewhere(ground.path()),
            Vec::<String>::new(),
            "{when}"
        );
    };
    phones.join();
    look("joined", &phones);
    phones.write_offline();
    look("written, not sent, the files open", &phones);
    // What a kill leaves: the files as they are, log and all, opened again by another.
    phones.crash();
    look("killed and opened again", &phones);
    phones.exchange();
    look("sent and received", &phones);
    phones.read_everything();
    phones.be_refused();
    phones.lock();
    look("locked by a PIN", &phones);
    phones.pause();
    look("paused", &phones);
    let used = phones.used();
    let unused: Vec<_> = canaries
        .all()
        .filter(|word| !used.contains(*word))
        .collect();
    assert!(unused.is_empty(), "never entered: {unused:?}");
    phones.wipe();
    look("wiped", &phones);
    assert!(looked_at > 40, "{looked_at} files");

    let Said {
        errors,
        debug,
        told,
    } = phones.said();
    assert!(
        errors.lines().count() > 20 && debug.len() > 1_000,
        "too little was said"
    );
    let log = recorder.heard();
    assert!(
        log.contains("sotay_client") && log.contains("sotay_server"),
        "nobody spoke"
    );
    for (what, text) in [
        ("an error", &errors),
        ("a Debug text", &debug),
        ("the text for a support desk", &told),
        ("a log", &log),
        ("a panic", &recorder.panics()),
    ] {
        let found: Vec<_> = canaries.in_bytes(text.as_bytes()).collect();
        assert!(found.is_empty(), "{what} shows {found:?}");
    }
}

/// Ordinary files that this process has open and that are in no folder of ours, deleted ones too: SQLite's own temporary
/// files would be among them.
fn open_elsewhere(ground: &Path) -> Vec<String> {
    if !cfg!(target_os = "linux") {
        return Vec::new();
    }
    let links = std::fs::read_dir("/proc/self/fd").unwrap();
    links
        .filter_map(|entry| {
            let link = entry.ok()?.path();
            let target = std::fs::read_link(&link).ok()?;
            let is_file = std::fs::metadata(&link).is_ok_and(|found| found.is_file());
            let ours = target.starts_with(ground) && !target.ends_with("(deleted)");
            // What was open before the test began: its own output, the program.
            let given = link.file_name()?.to_string_lossy().parse::<u32>().ok()? <= 2;
            (is_file && !ours && !given).then(|| target.to_string_lossy().into_owned())
        })
        .filter(|target| target.ends_with("(deleted)") || target.contains("etilqs"))
        .collect()
}

#[test]
fn the_search_finds_what_is_planted_in_every_form() {
    let canaries = Canaries::new();
    let folder = tempfile::tempdir().unwrap();
    for (number, form) in Form::ALL.into_iter().enumerate() {
        let word = canaries.all().nth(number).unwrap();
        let mut bytes = vec![0xa5; 70_000];
        bytes.splice(65_533..65_533, form.of(word));
        std::fs::write(folder.path().join("noise.db-wal"), bytes).unwrap();
        let shown = shown_by(folder.path(), &canaries);
        assert!(
            shown.iter().any(|line| line.contains(word)),
            "{form:?} was not found"
        );
    }
    std::fs::remove_file(folder.path().join("noise.db-wal")).unwrap();
    let word = canaries.all().last().unwrap();
    std::fs::write(folder.path().join(word.replace('/', "_")), b"").unwrap();
    assert!(
        !shown_by(folder.path(), &canaries).is_empty(),
        "in a file's name"
    );
    let debug = format!(
        "{:?}",
        sotay_client::HandbookError::ServerUnreachable {
            address: word.to_owned()
        }
    );
    assert!(canaries.in_bytes(debug.as_bytes()).next().is_some());
}

#[test]
fn storage_2_no_code_of_phone_or_server_asks_for_everything_in_a_debug_text() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut read = 0;
    for folder in [
        "core/model/src",
        "core/client/src",
        "server/src",
        "bindings/src",
    ] {
        for path in files(&root.join(folder)) {
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            read += 1;
            for (number, line) in text.lines().enumerate() {
                let is_comment = line.trim_start().starts_with("//");
                assert!(
                    is_comment || !line.contains(":-?}") && !line.contains(":-#?}"),
                    "{}:{}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
    assert!(read > 100, "{read}");
}
