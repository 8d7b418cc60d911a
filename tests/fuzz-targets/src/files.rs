//! Files as a phone finds them on its disk: damaged, torn, or put there by somebody else.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sotay_client::HandbookError;
use sotay_client::foreign::{
    BlobFile, Entry, Fate, JournalFound, JournalStep, KeysFound, enter_in_journal,
    keys_file as read_keys, open_journal,
};
use sotay_client::simulation::Disk;

use crate::memory_disk::MemoryDisk;

/// The root of the keys.
pub(crate) const ROOT: [u8; 32] = [5; 32];
const JOURNAL: &str = "journal";

fn opened(files: &MemoryDisk) -> JournalFound {
    let disk: Arc<dyn Disk> = Arc::new(files.clone());
    let found = open_journal(&disk, Path::new(JOURNAL), &ROOT).expect("this disk never fails");
    assert!(found.kept.is_sorted_by(|one, next| one.n < next.n));
    assert!(found.kept.iter().all(|entry| entry.n <= found.high_water));
    found
}

/// Opens what lies there twice: the first time cuts a torn end off and loses nothing else.
fn opened_twice(files: &MemoryDisk) -> JournalFound {
    let before = files.get(Path::new(JOURNAL));
    let found = opened(files);
    let after = files.get(Path::new(JOURNAL));
    assert!(before.starts_with(&after), "more than the end was changed");
    assert_eq!(opened(files), found, "another opening finds something else");
    found
}

/// A journal. A first byte below 128: the file is what follows. Else a script: what was entered, and what befell the file afterwards.
pub fn journal(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    let files = MemoryDisk::default();
    let path = Path::new(JOURNAL);
    if *how < 128 {
        files.put(path, rest.to_vec());
        let found = opened_twice(&files);
        // Only who has the key can write what is read.
        assert!(found.kept.is_empty() && found.identity.is_none());
        return;
    }
    let (steps, damage) = script(rest);
    let disk: Arc<dyn Disk> = Arc::new(files.clone());
    enter_in_journal(&disk, path, &ROOT, &steps).expect("this disk never fails");
    let expected = remembered(&steps);
    let whole = opened_twice(&files);
    assert_eq!((whole.identity.clone(), whole.kept.clone()), expected);
    let mut bytes = files.get(path);
    if bytes.is_empty() || damage.is_empty() {
        return;
    }
    for change in damage.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        match change[2] {
            0 => bytes.truncate(at.max(1)),
            by => bytes[at] ^= by,
        }
    }
    files.put(path, bytes);
    let found = opened_twice(&files);
    // Nothing is made up: each entry that is found was entered, even where what became of it is lost.
    for entry in &found.kept {
        let entered = JournalStep::Keep(entry.n, entry.at, entry.mutation.clone());
        assert!(steps.contains(&entered), "{entry:?} was never entered");
    }
    let identity = found.identity.map(JournalStep::Identity);
    assert!(identity.is_none_or(|found| steps.contains(&found)));
}

/// What a journal must remember of these steps.
fn remembered(steps: &[JournalStep]) -> (Option<Vec<u8>>, Vec<Entry>) {
    let (mut identity, mut kept) = (None, Vec::<Entry>::new());
    for step in steps {
        match step {
            JournalStep::Identity(found) => identity = Some(found.clone()),
            JournalStep::Keep(n, at, mutation) => {
                kept.retain(|entry| entry.n != *n);
                kept.push(Entry {
                    n: *n,
                    at: *at,
                    mutation: mutation.clone(),
                    fate: Fate::Unsent,
                });
            }
            JournalStep::Decide(n, why) => {
                if let Some(entry) = kept.iter_mut().find(|entry| entry.n == *n) {
                    entry.fate = why.clone().map_or(Fate::Accepted, Fate::Refused);
                }
            }
            JournalStep::Settle(n) => kept.retain(|entry| entry.n != *n),
            JournalStep::TakeBack(n) => kept.retain(|entry| entry.n != *n),
        }
    }
    kept.sort_by_key(|entry| entry.n);
    (identity, kept)
}

/// Steps, each of two bytes and a length; then what befalls the file.
fn script(mut bytes: &[u8]) -> (Vec<JournalStep>, &[u8]) {
    let mut steps = Vec::new();
    let mut next = 0;
    while let Some(([what, n, length], rest)) = bytes.split_first_chunk() {
        if *what >= 240 || steps.len() == 64 {
            return (steps, rest);
        }
        let n = i64::from(*n);
        let (text, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        steps.push(match what % 6 {
            0 => JournalStep::Identity(text.to_vec()),
            1 | 2 => {
                next += 1;
                JournalStep::Keep(next, n * 1_000, text.to_vec())
            }
            3 => JournalStep::Decide(n, (what % 2 == 0).then(|| text.to_vec())),
            4 => JournalStep::Settle(n),
            // Only what was entered just before is taken back, and its number is given out again.
            _ if matches!(steps.last(), Some(JournalStep::Keep(..))) => {
                next -= 1;
                JournalStep::TakeBack(next + 1)
            }
            _ => JournalStep::Settle(n),
        });
    }
    (steps, &[])
}

/// The file of wrapped keys. A first byte below 128: the file is what follows. Else what follows gets its sum, so that it is read on, and
/// stands in the first place, in the second, or in both.
pub fn keys_file(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    let mut bytes = rest.to_vec();
    if *how >= 128 {
        let sum = ring::digest::digest(&ring::digest::SHA256, rest);
        bytes.extend_from_slice(sum.as_ref());
        let block = bytes.clone();
        if how % 3 == 1 {
            bytes.fill(0);
        }
        if how % 3 > 0 {
            bytes.resize(bytes.len().max(4_096), 0);
            bytes.truncate(4_096);
            bytes.extend_from_slice(&block);
        }
    }
    let (disk, folder) = (MemoryDisk::default(), Path::new(""));
    disk.put(Path::new("keys"), bytes);
    let found = match read_keys(&disk, folder, &ROOT, true) {
        Ok(found) => found,
        // A newer version's file is told from a damaged one.
        Err(error) => {
            assert!(
                matches!(error, HandbookError::NewerDatabase { .. }),
                "{error:?}"
            );
            return;
        }
    };
    if let KeysFound::Wraps { count, opens, .. } = found {
        assert!(count <= 2);
        // What was read is written again with both copies whole, and says the same.
        let whole = KeysFound::Wraps {
            count,
            spoilt: false,
            opens,
        };
        assert_eq!(read_keys(&disk, folder, &ROOT, false), Ok(whole));
        let other = read_keys(&disk, folder, &[1; 32], false);
        assert!(matches!(other, Ok(KeysFound::Wraps { opens: false, .. })));
    }
}

/// Where files lie: in memory, where the system has such a folder.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = above.join(format!("sotay-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for files");
        folder
    })
}

/// A blob's file: the payload format of age, read piece by piece. A size, what befell the file, and the blob's text.
pub fn blob_file(input: &[u8]) {
    let Some(([how, high, low, damage], rest)) = input.split_first_chunk() else {
        return;
    };
    // Mostly a small one; now and then a whole chunk, a second one, and a second piece.
    let (more, most) = match how % 64 {
        63 => (256 << 10, u16::MAX),
        56..63 => (64 << 10, u16::MAX),
        48..56 => (0, u16::MAX),
        _ => (0, 0x0fff),
    };
    let file = BlobFile {
        // Tests run beside each other.
        path: folder().join(format!("blob-{:?}", std::thread::current().id())),
        key: [6; 16],
        size: u64::from(u16::from_be_bytes([*high, *low]) & most) + 1 + more,
    };
    let gone = std::fs::remove_file(&file.path);
    assert!(gone.is_ok() || !file.path.exists());
    if *how < 128 {
        // Bytes of a foreign key: nothing of it opens.
        std::fs::write(&file.path, rest).expect("a file");
        for index in 0..file.size.div_ceil(256 << 10) {
            assert_eq!(file.read_piece(index), Ok(None));
        }
        assert!(file.present() <= file.size);
        return;
    }
    let length = usize::try_from(file.size).expect("small").min(256 << 10);
    let text: Vec<u8> = rest.iter().copied().cycle().take(length).collect();
    let text = if rest.is_empty() {
        vec![0; length]
    } else {
        text
    };
    file.write_piece(0, &text).expect("a piece");
    assert_eq!(file.read_piece(0), Ok(Some(text)));
    if file.size <= 256 << 10 {
        assert_eq!(file.present(), file.size);
    }
    let mut sealed = std::fs::read(&file.path).expect("a file");
    let at = rest.iter().fold(usize::from(*damage), |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
    }) % sealed.len();
    match how % 3 {
        0 => sealed[at] ^= damage | 1,
        1 => sealed.truncate(at),
        _ => {
            sealed.remove(at);
        }
    }
    std::fs::write(&file.path, sealed).expect("a file");
    assert_eq!(file.read_piece(0), Ok(None), "a damaged piece is read");
}
