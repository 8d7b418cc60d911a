//! Phones, what became of their mutations, and the invitations they came with.

use rusqlite::{OptionalExtension, Row};
use sotay_model::device_key::PublicKey;
use sotay_model::exchange::SixDigits;
use sotay_model::wire::KeyAlgorithm;
use sotay_model::{Id, InstallationId, MemberId, Timestamp, cbor};

use super::{StorageError, Transaction, fixed};

/// One handbook on one phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its id.
    pub id: InstallationId,
    /// Whose handbook.
    pub member: MemberId,
    /// The key that certifies its sessions.
    pub device: PublicKey,
    /// The key that signs its privileged acts.
    pub approval: Option<PublicKey>,
    /// The highest number of a mutation seen.
    pub high_water: u64,
    /// Mutations up to this number are in two backups.
    pub backed_up: u64,
    /// Receipts up to this number are forgotten: the phone has them.
    pub settled: u64,
    /// What the phone is called.
    pub device_name: String,
    /// Since when it is known.
    pub enrolled_at: Timestamp,
    /// Since when it is the member's; none while it waits for an officer.
    pub active_since: Option<Timestamp>,
    /// Since when it is no longer accepted.
    pub revoked_at: Option<Timestamp>,
}

impl Installation {
    /// A phone that joins: nothing was heard of it yet.
    pub fn joining(
        id: InstallationId,
        member: MemberId,
        device: PublicKey,
        device_name: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            member,
            device,
            approval: None,
            high_water: 0,
            backed_up: 0,
            settled: 0,
            device_name,
            enrolled_at: now,
            active_since: None,
            revoked_at: None,
        }
    }

    /// Whether it is its member's: confirmed, and not revoked.
    pub const fn is_accepted(&self) -> bool {
        self.active_since.is_some() && self.revoked_at.is_none()
    }

    /// The same, confirmed at once: whoever runs the server vouches for it.
    #[must_use]
    pub const fn confirmed(mut self) -> Self {
        self.active_since = Some(self.enrolled_at);
        self
    }
}

/// A phone that waits for an officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joining {
    /// Which phone.
    pub installation: InstallationId,
    /// What both screens show.
    pub digits: SixDigits,
    /// How many wrong digits it still endures.
    pub tries_left: u32,
    /// Until when it waits.
    pub until: Timestamp,
}

/// What is remembered of a mutation's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// SHA-256 of the mutation's bytes.
    pub digest: Vec<u8>,
    /// The encoded receipt; none while it is held as "not yet".
    pub receipt: Option<Vec<u8>>,
}

/// An invitation that was given out. The code itself is not stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// How a claim finds it.
    pub lookup: [u8; 32],
    /// Authenticates the trust anchors.
    pub anchors_key: [u8; 32],
    /// Checks the proof.
    pub claim_key: [u8; 32],
    /// Who is invited.
    pub member: MemberId,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// How many wrong proofs it still endures.
    pub tries_left: u32,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// By which phone.
    pub used_by: Option<InstallationId>,
    /// The digest of the claim that used it.
    pub claim: Option<Vec<u8>>,
}

impl Transaction<'_> {
    /// A phone.
    pub fn installation(&self, id: InstallationId) -> Result<Option<Installation>, StorageError> {
        let mut statement = self
            .inner
            .prepare_cached(&format!("SELECT {COLUMNS} FROM installation WHERE id = ?1"))?;
        let mut rows = statement.query([id.0.as_bytes()])?;
        rows.next()?.map(installation_at).transpose()
    }

    /// The phones of a member that were not revoked, the oldest first.
    pub fn installations_of(&self, member: MemberId) -> Result<Vec<Installation>, StorageError> {
        let mut statement = self.inner.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM installation WHERE member = ?1 AND revoked_at IS NULL ORDER BY enrolled_at, id"
        ))?;
        let mut rows = statement.query([member.0.as_bytes()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(installation_at(row)?);
        }
        Ok(found)
    }

    /// Adds a phone.
    pub fn add_installation(&self, phone: &Installation) -> Result<(), StorageError> {
        self.inner
            .prepare_cached(
                "INSERT INTO installation
                 (id, member, algorithm, public_key, high_water, device_name, enrolled_at, revoked_at, active_since, approval)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                phone.id.0.as_bytes(),
                phone.member.0.as_bytes(),
                phone.device.algorithm.code(),
                &phone.device.bytes,
                phone.high_water.cast_signed(),
                &phone.device_name,
                phone.enrolled_at.0,
                phone.revoked_at.map(|at| at.0),
                phone.active_since.map(|at| at.0),
                phone.approval.as_ref().map(cbor::to_bytes),
            ))?;
        Ok(())
    }

    /// Gives a phone another name.
    pub fn rename(&self, id: InstallationId, name: &str) -> Result<(), StorageError> {
        self.inner
            .prepare_cached("UPDATE installation SET device_name = ?2 WHERE id = ?1")?
            .execute((id.0.as_bytes(), name))?;
        Ok(())
    }

    /// A phone waits for an officer.
    pub fn await_officer(&self, joining: &Joining) -> Result<(), StorageError> {
        self.inner
            .prepare_cached(
                "INSERT INTO joining (installation, digits, tries_left, until) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (installation) DO UPDATE SET tries_left = ?3",
            )?
            .execute((
                joining.installation.0.as_bytes(),
                joining.digits.number(),
                joining.tries_left,
                joining.until.0,
            ))?;
        Ok(())
    }

    /// A phone, if it still waits.
    pub fn joining(
        &self,
        id: InstallationId,
        now: Timestamp,
    ) -> Result<Option<Joining>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT installation, digits, tries_left, until FROM joining WHERE installation = ?1 AND until >= ?2",
        )?;
        let mut rows = statement.query((id.0.as_bytes(), now.0))?;
        rows.next()?.map(joining_at).transpose()
    }

    /// All phones that still wait, the oldest first.
    pub fn all_joining(&self, now: Timestamp) -> Result<Vec<Joining>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT installation, digits, tries_left, until FROM joining WHERE until >= ?1 ORDER BY installation",
        )?;
        let mut rows = statement.query([now.0])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(joining_at(row)?);
        }
        Ok(found)
    }

    /// An officer has confirmed: the phone is the member's.
    pub fn activate(&self, id: InstallationId, now: Timestamp) -> Result<(), StorageError> {
        self.inner
            .prepare_cached("UPDATE installation SET active_since = ?2 WHERE id = ?1")?
            .execute((id.0.as_bytes(), now.0))?;
        self.end_waiting(id)
    }

    /// A phone waits no longer.
    pub fn end_waiting(&self, id: InstallationId) -> Result<(), StorageError> {
        self.inner
            .prepare_cached("DELETE FROM joining WHERE installation = ?1")?
            .execute([id.0.as_bytes()])?;
        Ok(())
    }

    /// How many phones of a member are accepted or wait for an officer.
    pub fn phones_of(&self, member: MemberId, now: Timestamp) -> Result<u32, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT COUNT(*) FROM installation WHERE member = ?1 AND revoked_at IS NULL AND (active_since IS NOT NULL
             OR EXISTS (SELECT 1 FROM joining WHERE joining.installation = installation.id AND until >= ?2))",
        )?;
        Ok(statement.query_row((member.0.as_bytes(), now.0), |row| row.get(0))?)
    }

    /// How many phones are accepted, of all members.
    pub fn phones(&self) -> Result<u64, StorageError> {
        let count: i64 = self.inner.query_row(
            "SELECT COUNT(*) FROM installation WHERE revoked_at IS NULL AND active_since IS NOT NULL",
            [],
            |row| row.get(0),
        )?;
        Ok(count.cast_unsigned())
    }

    /// No longer accepts a phone; whether it was accepted before.
    pub fn revoke(&self, id: InstallationId, now: Timestamp) -> Result<bool, StorageError> {
        let changed = self
            .inner
            .prepare_cached(
                "UPDATE installation SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
            )?
            .execute((id.0.as_bytes(), now.0))?;
        Ok(changed > 0)
    }

    /// Sets the highest number seen of a phone.
    pub fn set_high_water(&self, id: InstallationId, high_water: u64) -> Result<(), StorageError> {
        self.inner
            .prepare_cached("UPDATE installation SET high_water = ?2 WHERE id = ?1")?
            .execute((id.0.as_bytes(), high_water.cast_signed()))?;
        Ok(())
    }

    /// Forgets the receipts that a phone has, up to a number.
    pub fn forget_receipts(&self, id: InstallationId, through: u64) -> Result<(), StorageError> {
        let phone = (id.0.as_bytes(), through.cast_signed());
        let further = self
            .inner
            .prepare_cached("UPDATE installation SET settled = ?2 WHERE id = ?1 AND settled < ?2")?
            .execute(phone)?;
        if further > 0 {
            self.inner
                .prepare_cached("DELETE FROM receipt WHERE installation = ?1 AND n <= ?2")?
                .execute(phone)?;
        }
        Ok(())
    }

    /// What is remembered of a number of a phone.
    pub fn remembered(
        &self,
        phone: InstallationId,
        n: u64,
    ) -> Result<Option<Remembered>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT digest, receipt FROM receipt WHERE installation = ?1 AND n = ?2",
        )?;
        Ok(statement
            .query_row((phone.0.as_bytes(), n.cast_signed()), |row| {
                Ok(Remembered {
                    digest: row.get(0)?,
                    receipt: row.get(1)?,
                })
            })
            .optional()?)
    }

    /// Remembers a number of a phone.
    pub fn remember(
        &self,
        phone: InstallationId,
        n: u64,
        what: &Remembered,
    ) -> Result<(), StorageError> {
        self.inner
            .prepare_cached(
                "INSERT INTO receipt (installation, n, digest, receipt) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (installation, n) DO UPDATE SET digest = ?3, receipt = ?4",
            )?
            .execute((
                phone.0.as_bytes(),
                n.cast_signed(),
                &what.digest,
                &what.receipt,
            ))?;
        Ok(())
    }

    /// The invitation that a lookup value finds.
    pub fn invitation(&self, lookup: &[u8]) -> Result<Option<Invitation>, StorageError> {
        let mut statement = self.inner.prepare_cached(
            "SELECT lookup, roots_key, claim_key, member, expires_at, tries_left, used_at, used_by, claim
             FROM invitation WHERE lookup = ?1",
        )?;
        let mut rows = statement.query([lookup])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let key = |column| -> Result<[u8; 32], StorageError> {
            fixed(
                row.get_ref(column)?.as_blob().unwrap_or_default(),
                "invitation",
            )
        };
        let used_by: Option<Vec<u8>> = row.get(7)?;
        Ok(Some(Invitation {
            lookup: key(0)?,
            anchors_key: key(1)?,
            claim_key: key(2)?,
            member: MemberId(id_at(row, 3)?),
            expires_at: Timestamp(row.get(4)?),
            tries_left: row.get(5)?,
            used_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
            used_by: used_by
                .map(|bytes| {
                    Ok::<_, StorageError>(InstallationId(Id::from_bytes(fixed(&bytes, "id")?)))
                })
                .transpose()?,
            claim: row.get(8)?,
        }))
    }

    /// Stores an invitation, or what happened to it.
    pub fn set_invitation(&self, invitation: &Invitation) -> Result<(), StorageError> {
        self.inner
            .prepare_cached(
                "INSERT INTO invitation
                 (lookup, roots_key, claim_key, member, expires_at, tries_left, used_at, used_by, claim)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (lookup) DO UPDATE SET tries_left = ?6, used_at = ?7, used_by = ?8, claim = ?9",
            )?
            .execute((
                invitation.lookup,
                invitation.anchors_key,
                invitation.claim_key,
                invitation.member.0.as_bytes(),
                invitation.expires_at.0,
                invitation.tries_left,
                invitation.used_at.map(|at| at.0),
                invitation.used_by.as_ref().map(|id| id.0.as_bytes()),
                &invitation.claim,
            ))?;
        Ok(())
    }
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation")
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str =
    "id, member, algorithm, public_key, high_water, device_name, enrolled_at, revoked_at,
     backed_up_twice, settled, active_since, approval";

fn installation_at(row: &Row<'_>) -> Result<Installation, StorageError> {
    let moment = |column| -> Result<_, StorageError> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
    };
    let approval: Option<Vec<u8>> = row.get(11)?;
    Ok(Installation {
        id: InstallationId(id_at(row, 0)?),
        member: MemberId(id_at(row, 1)?),
        device: PublicKey {
            algorithm: KeyAlgorithm::from_code(row.get(2)?),
            bytes: row.get(3)?,
        },
        approval: approval
            .map(|bytes| cbor::from_bytes(&bytes))
            .transpose()
            .map_err(|_| StorageError::Damaged { what: "key" })?,
        high_water: row.get::<_, i64>(4)?.cast_unsigned(),
        device_name: row.get(5)?,
        enrolled_at: Timestamp(row.get(6)?),
        revoked_at: moment(7)?,
        backed_up: row.get::<_, i64>(8)?.cast_unsigned(),
        settled: row.get::<_, i64>(9)?.cast_unsigned(),
        active_since: moment(10)?,
    })
}

fn joining_at(row: &Row<'_>) -> Result<Joining, StorageError> {
    Ok(Joining {
        installation: InstallationId(id_at(row, 0)?),
        digits: SixDigits::from_number(row.get(1)?)
            .ok_or(StorageError::Damaged { what: "joining" })?,
        tries_left: row.get(2)?,
        until: Timestamp(row.get(3)?),
    })
}

fn id_at(row: &Row<'_>, column: usize) -> Result<Id, StorageError> {
    let bytes = row
        .get_ref(column)?
        .as_blob()
        .map_err(|_| StorageError::Damaged { what: "id" })?;
    Ok(Id::from_bytes(fixed(bytes, "id")?))
}
