//! What really lies in a phone's and in the server's database, read from outside and compared record by record.
//!
//! The phone's own code is not asked: with the root key of the phone's vault its data key and its database are opened as an
//! examiner would, and every listed record is hashed anew.

use std::collections::BTreeMap;
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use rusqlite::{Connection, OpenFlags};
use sotay_client::VaultAnswer;
use sotay_model::record::{RecordHash, ScopeSum, Stamp};
use sotay_model::{Id, Kind, RecordKey, Scope};
use sotay_server::commune::DATABASE;
use sotay_server::storage::Storage;

use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;

/// How pages are encrypted, as docs/security.md says.
pub const CIPHER: &str =
    "PRAGMA cipher_page_size = 8192; PRAGMA cipher_hmac_algorithm = HMAC_SHA256";

/// What one scope shows: a version and a body for each record.
pub type Shown = BTreeMap<RecordKey, ShownRecord>;

/// A record as a scope shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRecord {
    /// Which version.
    pub stamp: Stamp,
    /// What it is about.
    pub kind: Kind,
    /// What it belongs to.
    pub parent: Id,
    /// Its contents.
    pub body: Vec<u8>,
}

/// Everything a phone holds of the server's.
#[derive(Debug, Clone, Default)]
pub struct PhoneContents {
    /// Each scope it holds, and the position it stands at.
    pub scopes: BTreeMap<Scope, (u64, Shown)>,
    /// How many records there are, listed or not.
    pub records: u64,
}

/// A scope in which a phone and the server agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// Which.
    pub scope: Scope,
    /// The position in its feed.
    pub seq: u64,
    /// How many records, and what they add up to.
    pub sum: ScopeSum,
}

/// Opens a phone's database beside the phone itself.
pub fn open_database(phone: &Phone) -> Result<Connection, Failure> {
    open(phone, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// The same, to change something behind the phone's back.
pub fn open_database_to_write(phone: &Phone) -> Result<Connection, Failure> {
    open(phone, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn open(phone: &Phone, access: OpenFlags) -> Result<Connection, Failure> {
    let VaultAnswer::Key { root } = phone.vault().root_key()? else {
        fail!("{} has no key", phone.name);
    };
    open_in(phone.folder(), &root, access)
}

fn open_in(folder: &Path, root: &[u8], access: OpenFlags) -> Result<Connection, Failure> {
    let path = folder.join("handbook.db");
    let database = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    database.execute_batch(&format!(
        "PRAGMA key = \"x'{}'\"; {CIPHER}",
        hexadecimal(&derived::<48>(&data_key(folder, root)?, b"db")?)
    ))?;
    Ok(database)
}

/// Makes the database in a closed handbook's folder say that version 99 of the app wrote it. For tests in other languages, which have no
/// ciphers: `newer FOLDER ROOT`, the root key in hexadecimal.
pub fn make_newer(words: &str) -> Result<(), Failure> {
    let Some((folder, root)) = words.rsplit_once(' ') else {
        fail!("newer FOLDER ROOT");
    };
    let root = (0..root.len())
        .step_by(2)
        .map(|at| {
            root.get(at..at + 2)
                .and_then(|two| u8::from_str_radix(two, 16).ok())
        })
        .collect::<Option<Vec<u8>>>();
    let Some(root) = root else {
        fail!("the root key is not hexadecimal");
    };
    let database = open_in(Path::new(folder), &root, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    database.pragma_update(None, "user_version", 99)?;
    Ok(())
}

/// The data key, out of the file `keys` as docs/security.md says. A handbook with a PIN is not opened by this.
fn data_key(folder: &Path, root: &[u8]) -> Result<Vec<u8>, Failure> {
    // Magic, version and length; then a wrap: its kind, the PIN's salt, the tries, the sealed data key with its nonce.
    const WRAP: usize = 1 + 16 + 29;
    let file = std::fs::read(folder.join("keys"))?;
    let Some((0, rest)) = file.get(7..).and_then(<[u8]>::split_first) else {
        fail!("the keys need a PIN");
    };
    let Some((nonce, text)) = rest
        .get(WRAP - 1..WRAP - 1 + 60)
        .and_then(<[u8]>::split_first_chunk)
    else {
        fail!("the keys are too short");
    };
    let mut key = text.to_vec();
    let wrapping = UnboundKey::new(&CHACHA20_POLY1305, &derived::<32>(root, b"wrap")?)
        .map(LessSafeKey::new)
        .map_err(|_| Failure("no wrapping key".into()))?;
    wrapping
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(b"data key"),
            &mut key,
        )
        .map_err(|_| Failure("the root does not fit the keys".into()))?;
    key.truncate(32);
    Ok(key)
}

/// HKDF-SHA256 without salt.
fn derived<const N: usize>(from: &[u8], label: &[u8]) -> Result<[u8; N], Failure> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut key = [0; N];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(from)
        .expand(&[label], Length(N))
        .and_then(|expanded| expanded.fill(&mut key))
        .map_err(|_| Failure("the key cannot be derived".into()))?;
    Ok(key)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads everything that a phone holds of the server's.
pub fn contents(phone: &Phone) -> Result<PhoneContents, Failure> {
    let mut database = open_database(phone)?;
    let database = database.transaction()?;
    let mut contents = PhoneContents::default();
    let mut numbers = BTreeMap::new();
    let mut select = database.prepare("SELECT sid, scope, held, cursor FROM scope")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let scope = Scope::from_bytes(row.get_ref(1)?.as_blob()?)?;
        numbers.insert(row.get::<_, i64>(0)?, scope);
        if row.get(2)? {
            contents
                .scopes
                .insert(scope, (unsigned(row, 3)?, Shown::new()));
        }
    }
    let mut select = database.prepare(
        "SELECT l.lid >> 40, b.home, b.id, b.kind, b.parent, l.incarnation, l.version, b.body
         FROM listing l JOIN base b ON b.rid = l.lid & ((1 << 40) - 1)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (Some(scope), Some(home)) = (numbers.get(&row.get(0)?), numbers.get(&row.get(1)?))
        else {
            fail!("a listing of {} has no scope", phone.name);
        };
        let shown = ShownRecord {
            stamp: Stamp {
                incarnation: unsigned(row, 5)?,
                version: unsigned(row, 6)?,
            },
            kind: Kind::from_code(row.get(3)?),
            parent: id(row.get_ref(4)?.as_blob()?)?,
            body: row.get(7)?,
        };
        if let Some((_, records)) = contents.scopes.get_mut(scope) {
            records.insert(
                RecordKey::new(*home, id(row.get_ref(2)?.as_blob()?)?),
                shown,
            );
        }
    }
    contents.records =
        database.query_row("SELECT count(*) FROM base", [], |row| unsigned(row, 0))?;
    Ok(contents)
}

/// Compares every scope of a phone with the server's: the same scopes, positions, sums and records, byte by byte.
pub fn agree(phone: &Phone, server: &Path) -> Result<Vec<Agreed>, Failure> {
    let mut storage = Storage::open(&server.join(DATABASE))?;
    let transaction = storage.read()?;
    let contents = contents(phone)?;
    let mut agreed = Vec::new();
    for (scope, (cursor, records)) in &contents.scopes {
        let head = transaction.head(*scope)?;
        let mut there = Shown::new();
        transaction.listing(*scope, 0, |row| {
            if let Some((kind, parent, body)) = row.content {
                there.insert(
                    row.key,
                    ShownRecord {
                        stamp: row.stamp,
                        kind,
                        parent,
                        body,
                    },
                );
            }
            true
        })?;
        let mut sum = ScopeSum::default();
        for (key, record) in records {
            sum.add(RecordHash::of(key, record.stamp, &record.body));
        }
        if *records != there {
            let differing: Vec<String> = there
                .keys()
                .chain(records.keys())
                .filter(|key| records.get(*key) != there.get(*key))
                .map(ToString::to_string)
                .collect();
            fail!(
                "{}: {scope} differs in {}",
                phone.name,
                differing.join(", ")
            );
        }
        if sum != head.sum || *cursor != head.head {
            fail!(
                "{}: {scope} is at {cursor} with {} records, the server at {} with {}",
                phone.name,
                sum.count,
                head.head,
                head.sum.count
            );
        }
        agreed.push(Agreed {
            scope: *scope,
            seq: *cursor,
            sum,
        });
    }
    if agreed.is_empty() {
        fail!("{} holds no scope", phone.name);
    }
    Ok(agreed)
}

/// How many records of a phone hold these bytes, an id or a text, anywhere: in the home, the id, the parent, or the body.
pub fn mentions(phone: &Phone, bytes: &[u8]) -> Result<u64, Failure> {
    let database = open_database(phone)?;
    let mut count = 0;
    let mut select = database.prepare(
        "SELECT b.id, b.parent, s.scope, b.body FROM base b JOIN scope s ON s.sid = b.home
         UNION ALL SELECT id, parent, home, body FROM overlay",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..4 {
            let found = row.get_ref(column)?.as_blob()?;
            if found.windows(bytes.len()).any(|part| part == bytes) {
                count += 1;
                break;
            }
        }
    }
    Ok(count)
}

fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

fn id(bytes: &[u8]) -> Result<Id, Failure> {
    Ok(Id::from_bytes(bytes.try_into()?))
}
