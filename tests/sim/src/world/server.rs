//! The server: it answers, loses power, is backed up and restored, and forgets.

use sotay_disk::vfs_name;
use sotay_model::wire::{ProblemCode, SyncRequest, SyncResponse};
use sotay_model::{Id, InstallationId, RecordKey, Timestamp, cbor};
use sotay_server::engine::{Asked, Engine};
use sotay_server::storage::{Spill, Storage};

use super::{Backup, Message, World};
use crate::ensure;
use crate::ground::DATABASE;
use crate::reference::{Reference, Said};
use crate::server_disk::{holds, open_engine};
use crate::violation::Checked;

impl World<'_> {
    pub(super) fn serve(&mut self, batch: Vec<(usize, u64, Vec<u8>)>) -> Checked {
        let mut asked = Vec::new();
        let mut requests: Vec<(InstallationId, SyncRequest)> = Vec::new();
        for (phone, _, bytes) in &batch {
            let request: SyncRequest =
                cbor::from_bytes(bytes).map_err(|_| "a request cannot be read")?;
            let installation = self.phones[*phone].owner.installation;
            requests.push((installation, request.clone()));
            asked.push(Asked {
                installation,
                request,
            });
        }
        let mut next = self.chronicle.now.clone();
        let said = next.carry_out(&requests, self.now);
        let writes = requests
            .iter()
            .any(|(_, request)| !request.mutations.is_empty());
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match engine.handle_batch(&asked, self.now) {
            Ok(answered) => {
                if writes {
                    self.uncertain = None;
                }
                self.answer(&batch, &requests, &said, next, answered.responses)
            }
            Err(error) => {
                self.log(format_args!("the server fails: {error}"));
                for (phone, id, _) in &batch {
                    self.messages.push(Message::Down {
                        phone: *phone,
                        id: *id,
                        answer: Err(ProblemCode::Internal),
                    });
                }
                self.server_failed(Some(next))
            }
        }
    }

    pub(super) fn answer(
        &mut self,
        batch: &[(usize, u64, Vec<u8>)],
        requests: &[(InstallationId, SyncRequest)],
        said: &[Said],
        next: Reference,
        responses: Vec<Result<SyncResponse, ProblemCode>>,
    ) -> Checked {
        for (((installation, request), said), answer) in requests.iter().zip(said).zip(&responses) {
            self.tally.checks += 1;
            next.check_answer(*installation, request, said, answer, self.now)
                .map_err(|what| format!("the server: {what}"))?;
        }
        self.chronicle.adopt(next);
        for ((phone, id, _), answer) in batch.iter().zip(responses) {
            let what = match &answer {
                Ok(response) => format!(
                    "{} receipts, {} rows",
                    response.receipts.len(),
                    response
                        .pages
                        .iter()
                        .map(|page| page.rows.len())
                        .sum::<usize>()
                ),
                Err(problem) => format!("{problem:?}"),
            };
            self.log(format_args!("the server answers #{id}: {what}"));
            self.messages.push(Message::Down {
                phone: *phone,
                id: *id,
                answer: answer.map(|response| cbor::to_bytes(&response)),
            });
        }
        Ok(())
    }

    /// The server could not do something; it may have been done all the same.
    pub(super) fn server_failed(&mut self, attempted: Option<Reference>) -> Checked {
        if !self.disk.is_down() {
            if self.dice.percent(60) || self.quiet {
                self.disk.make_room();
            }
            self.disk.clear_faults();
            // A commit whose sync failed comes true when power is lost before the next one.
            self.uncertain = attempted;
            return Ok(());
        }
        self.server_loses_power(attempted)
    }

    pub(super) fn server_loses_power(&mut self, attempted: Option<Reference>) -> Checked {
        self.fault("server loses power");
        self.log(format_args!("the server loses power"));
        self.engine = None;
        self.disk.crash();
        self.disk.clear_faults();
        // Its connections are gone, and with them what was on its way down.
        self.messages
            .retain(|message| matches!(message, Message::Up { .. }));
        let candidates = [attempted, self.uncertain.take()];
        self.tally.checks += 1;
        let mut differs = match holds(&self.disk, &self.chronicle.now) {
            Ok(()) => {
                self.engine = Some(open_engine(&self.disk)?);
                return Ok(());
            }
            Err(what) => what,
        };
        for candidate in candidates.into_iter().flatten() {
            match holds(&self.disk, &candidate) {
                Ok(()) => {
                    self.chronicle.adopt(candidate);
                    self.engine = Some(open_engine(&self.disk)?);
                    return Ok(());
                }
                Err(what) => differs = what,
            }
        }
        Err(format!(
            "the server holds neither what was before nor what came after: {differs}"
        ))
    }

    pub(super) fn back_up(&mut self) -> Checked {
        if self.disk.is_down() {
            self.server_loses_power(None)?;
        }
        self.disk.clear_faults();
        self.disk.make_room();
        let path = self.disk.path("backup.db");
        let _ = self.disk.remove(&path);
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        let mut reference = self.chronicle.now.clone();
        engine
            .storage()
            .back_up(&path)
            .map_err(|error| format!("the backup: {error}"))?;
        let bytes = self
            .disk
            .read(&path)
            .map_err(|error| format!("the backup: {error}"))?;
        self.backups.push(Backup {
            bytes,
            reference: reference.clone(),
        });
        if self.backups.len() > 2 {
            self.backups.remove(0);
        }
        reference.backed_up();
        self.uncertain = None;
        self.chronicle.adopt(reference);
        self.fault("backup");
        self.log(format_args!("a backup"));
        Ok(())
    }

    pub(super) fn restore(&mut self) -> Checked {
        if self.backups.is_empty() {
            return Ok(());
        }
        if self.disk.is_down() {
            self.server_loses_power(None)?;
        }
        let which = self.dice.index(self.backups.len());
        let backup = self.backups.remove(which);
        self.backups.clear();
        self.disk.clear_faults();
        self.engine = None;
        self.disk.make_room();
        for ending in ["-wal", "-shm"] {
            let _ = self
                .disk
                .remove(self.disk.path(&format!("{DATABASE}{ending}")));
        }
        let path = self.disk.path(DATABASE);
        self.disk
            .replace(&path, backup.bytes.clone())
            .map_err(|error| format!("restoring: {error}"))?;
        let mut storage =
            Storage::open_in(vfs_name(), &path).map_err(|error| format!("restoring: {error}"))?;
        let incarnation = storage
            .begin_incarnation(self.chronicle.now.incarnation, Timestamp(0))
            .map_err(|error| format!("restoring: {error}"))?;
        let mut reference = backup.reference.clone();
        reference.incarnation = incarnation;
        self.engine = Some(Engine::new(storage));
        self.uncertain = None;
        self.chronicle.restored(reference);
        self.backups.push(backup);
        self.messages.clear();
        for one in &mut self.phones {
            one.round = None;
            one.astray.clear();
        }
        self.fault("server restored");
        self.log(format_args!(
            "the server is restored: incarnation {incarnation}"
        ));
        Ok(())
    }

    pub(super) fn forget(&mut self) -> Checked {
        let before = self
            .now
            .plus_minutes(-(self.dice.below(3_000).cast_signed()));
        let mut next = self.chronicle.now.clone();
        next.forget_deletions(before);
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match engine.forget_deletions(before) {
            Ok(_) => {
                self.uncertain = None;
                self.fault("deletions forgotten");
                self.chronicle.adopt(next);
                self.log(format_args!("deletions are forgotten"));
                Ok(())
            }
            Err(_) => self.server_failed(Some(next)),
        }
    }

    /// The operator removes the words of a notice or of a document.
    pub(super) fn purge(&mut self) -> Checked {
        let mut next = self.chronicle.now.clone();
        let removable = next.removable();
        let Some(key) = self.dice.pick(&removable).copied() else {
            return Ok(());
        };
        next.purge(key, self.now);
        self.chronicle.removed.insert(key);
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match engine.purge(Spill::Record(key), self.now) {
            Ok(_) => {
                let traceless = engine.storage().leave_no_trace().is_ok();
                self.uncertain = None;
                self.fault("contents removed");
                self.chronicle.adopt(next);
                self.log(format_args!("the operator removes {key:?}"));
                if traceless {
                    Ok(())
                } else {
                    self.server_failed(None)
                }
            }
            Err(_) => self.server_failed(Some(next)),
        }
    }

    /// Some records' time is over, or so the server believes.
    pub(super) fn expire(&mut self) -> Checked {
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        let later = self.now.plus_minutes(1_000 * 24 * 60);
        let Ok(found) = engine.over(later) else {
            return self.server_failed(None);
        };
        let mut keys: Vec<RecordKey> = found.into_values().flatten().collect();
        keys.retain(|_| self.dice.percent(30));
        let mut next = self.chronicle.now.clone();
        next.remove(&keys, later);
        match engine.remove_over(&keys, later) {
            Ok((removed, _)) => {
                ensure!(removed == keys.len(), "{removed} of {} went", keys.len());
                self.uncertain = None;
                self.fault("records over");
                self.chronicle.adopt(next);
                self.log(format_args!("{removed} records are over"));
                Ok(())
            }
            Err(_) => self.server_failed(Some(next)),
        }
    }

    /// A newer server writes a record of a kind that nobody here knows.
    pub(super) fn unknown_record(&mut self) -> Checked {
        let cell = *self
            .dice
            .pick(&self.ground.cells)
            .ok_or("there are no cells")?;
        let id = Id::v7(0, self.dice.ten());
        let body = self.dice.next().to_be_bytes().to_vec();
        let put = crate::server_disk::unknown(cell, id, body);
        let mut next = self.chronicle.now.clone();
        let written = next.write(
            &sotay_model::Effect {
                puts: vec![put.clone()],
            },
            self.now,
        );
        let Some(engine) = &mut self.engine else {
            return Err("no server".into());
        };
        match crate::server_disk::write_unknown(engine.storage(), &put, &written, &next, self.now) {
            Ok(()) => {
                self.uncertain = None;
                self.fault("unknown kind of record");
                self.chronicle.adopt(next);
                Ok(())
            }
            Err(_) => self.server_failed(Some(next)),
        }
    }
}
