//! Mutations of a phone: each number is carried out at most once.
//!
//! The receipt and the highest number seen are stored in the transaction of the effect. A retry with the same bytes gets the
//! stored receipt, other bytes under the same number are refused, a number left out refuses the whole request before anything
//! is written. The highest number is contiguous: a mutation of an unknown kind takes its number too, and is held without a
//! receipt ("not yet"). The phone sends it again with every request until a newer server decides; what needs it is held
//! as well, all others go ahead.
//!
//! A phone says up to which number it needs no receipt any more; those are forgotten, by nothing else and at no other time. A
//! number whose receipt is forgotten is `Expired`: never carried out a second time.

use ring::digest::{SHA256, digest};
use sotay_model::defect::{self, Defect};
use sotay_model::mutation::MAX_MUTATION_BYTES;
use sotay_model::rejection::{Fault, Field};
use sotay_model::wire::{MAX_MUTATIONS, PROTOCOL, ProblemCode, Receipt, Sent, Verdict, Written};
use sotay_model::{Actor, InstallationId, Mutation, Outcome, Rejection, cbor};

use super::{Asked, Batch, EngineError};
use crate::shape;
use crate::storage::{Installation, Remembered, StorageError, Transaction};

/// The most mutations that one may need.
const MAX_NEEDS: usize = 100;

/// After how many written records the rest of a request is left for the next one: receipts are part of the response, which
/// has a limit too.
const ENOUGH_WRITTEN: usize = 20_000;

/// What is written after the transaction of the effect where [`Defect::ReceiptOutsideTransaction`] is on; else nothing.
#[derive(Debug, Default)]
pub(super) struct Late {
    receipts: Vec<(InstallationId, u64, Remembered)>,
    numbers: Vec<(InstallationId, u64)>,
}

impl Late {
    pub(super) const fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn write(&self, transaction: &Transaction<'_>) -> Result<(), StorageError> {
        for (phone, n, remembered) in &self.receipts {
            transaction.remember(*phone, *n, remembered)?;
        }
        for (phone, high_water) in &self.numbers {
            transaction.set_high_water(*phone, *high_water)?;
        }
        Ok(())
    }
}

/// The phone as it stands after its mutations, and their receipts; or why the request is refused.
type CarriedOut = Result<(Installation, Vec<Receipt>), ProblemCode>;

impl Batch<'_> {
    /// Carries out the mutations of one request.
    pub(super) fn carry_out(&mut self, asked: &Asked) -> Result<CarriedOut, EngineError> {
        let known = self.transaction.installation(asked.installation)?;
        let Some(mut phone) = known.filter(Installation::is_accepted) else {
            return Ok(Err(ProblemCode::UnknownInstallation));
        };
        if asked.request.protocol != PROTOCOL {
            return Ok(Err(ProblemCode::UnsupportedProtocol));
        }
        let sent = &asked.request.mutations;
        if sent.len() > MAX_MUTATIONS {
            return Ok(Err(ProblemCode::TooLarge));
        }
        if let Err(problem) = check_numbers(sent, phone.high_water) {
            return Ok(Err(problem));
        }
        let mut receipts = Vec::with_capacity(sent.len());
        let mut written = 0;
        for one in sent {
            if written >= ENOUGH_WRITTEN {
                break;
            }
            let verdict = self.carry_out_once(&phone, one)?;
            if let Verdict::Done(records) = &verdict {
                written += records.len();
            }
            receipts.push(Receipt { n: one.n, verdict });
            phone.high_water = phone.high_water.max(one.n);
        }
        if !sent.is_empty() {
            if defect::is_on(Defect::ReceiptOutsideTransaction) {
                self.late.numbers.push((phone.id, phone.high_water));
                return Ok(Ok((phone, receipts)));
            }
            self.transaction
                .set_high_water(phone.id, phone.high_water)?;
            let settled = asked.request.settled_through.min(phone.high_water);
            self.transaction.forget_receipts(phone.id, settled)?;
            phone.settled = phone.settled.max(settled);
        }
        Ok(Ok((phone, receipts)))
    }

    fn carry_out_once(
        &mut self,
        phone: &Installation,
        sent: &Sent,
    ) -> Result<Verdict, EngineError> {
        let bytes_digest = digest(&SHA256, &sent.mutation).as_ref().to_vec();
        if defect::is_on(Defect::ReceiptsExpireByClock)
            && sent.n <= phone.high_water
            && let Ok(mutation) = cbor::from_bytes::<Mutation>(&sent.mutation)
            && mutation.made_at.plus_minutes(12 * 60) < self.now
        {
            return Ok(Verdict::Rejected(Rejection::Expired));
        }
        match self.transaction.remembered(phone.id, sent.n)? {
            Some(known) if known.digest != bytes_digest => {
                return Ok(Verdict::Rejected(Rejection::NumberReused));
            }
            Some(Remembered {
                receipt: Some(receipt),
                ..
            }) => return Ok(read(&receipt)?.verdict),
            None if sent.n <= phone.high_water => return Ok(Verdict::Rejected(Rejection::Expired)),
            Some(_) | None => {}
        }
        let verdict = self.judge(phone, sent)?;
        let receipt = match &verdict {
            Verdict::NotYet => None,
            decided => Some(cbor::to_bytes(&Receipt {
                n: sent.n,
                verdict: decided.clone(),
            })),
        };
        let remembered = Remembered {
            digest: bytes_digest,
            receipt,
        };
        if defect::is_on(Defect::ReceiptOutsideTransaction) {
            self.late.receipts.push((phone.id, sent.n, remembered));
        } else {
            self.transaction.remember(phone.id, sent.n, &remembered)?;
        }
        Ok(verdict)
    }

    fn judge(&mut self, phone: &Installation, sent: &Sent) -> Result<Verdict, EngineError> {
        if sent.mutation.len() > MAX_MUTATION_BYTES {
            let limit = u32::try_from(MAX_MUTATION_BYTES).unwrap_or(u32::MAX);
            return Ok(Verdict::Rejected(Rejection::TooLarge {
                field: Field::Mutation,
                limit,
            }));
        }
        let malformed = Verdict::Rejected(Rejection::Invalid {
            field: Field::Mutation,
            why: Fault::Malformed,
        });
        if shape::check(&sent.mutation).is_err() {
            return Ok(malformed);
        }
        let Ok(mut mutation) = cbor::from_bytes::<Mutation>(&sent.mutation) else {
            return Ok(malformed);
        };
        if mutation.needs.len() > MAX_NEEDS {
            return Ok(malformed);
        }
        let base = mutation.base_after();
        for n in mutation.needs.clone().into_iter().chain(base) {
            let needed = match u64::try_from(n) {
                Ok(needed) if needed > 0 && needed < sent.n => needed,
                _ => return Ok(malformed),
            };
            match self.transaction.remembered(phone.id, needed)? {
                Some(Remembered { receipt: None, .. }) => return Ok(Verdict::NotYet),
                Some(Remembered {
                    receipt: Some(receipt),
                    ..
                }) => match read(&receipt)?.verdict {
                    // The text that is edited is the first record that its mutation wrote.
                    Verdict::Done(written) if base == Some(n) => match written.first() {
                        Some(written) => mutation.resolve_base(written.stamp),
                        None => return Ok(Verdict::Rejected(Rejection::DependsOn { n })),
                    },
                    Verdict::Done(_) => {}
                    _ => return Ok(Verdict::Rejected(Rejection::DependsOn { n })),
                },
                None if base == Some(n) => {
                    return Ok(Verdict::Rejected(Rejection::DependsOn { n }));
                }
                // Forgotten, so long ago: if it was refused, the record it should have made is not there, and the rules say so.
                None => {}
            }
        }
        let effect = match self.decide(Actor::Member(phone.member), &mutation)? {
            Outcome::Done(effect) => effect,
            Outcome::Rejected(rejection) => return Ok(Verdict::Rejected(rejection)),
            Outcome::NotYet => return Ok(Verdict::NotYet),
            Outcome::Need(_) => return Err(EngineError::Endless),
        };
        if let Some(why) = self.refuses(&effect)? {
            return Ok(Verdict::Rejected(why));
        }
        if !self.has_blobs(&effect)? {
            return Ok(Verdict::NotYet);
        }
        let written = self.write(&effect)?;
        let by = Some((phone.member, phone.id));
        self.audit(by, &mutation.intent, &written)?;
        let held = self.scopes(phone.member)?;
        let seen = written.into_iter().filter_map(|record| {
            let (scope, seq) = record
                .places
                .into_iter()
                .find(|(scope, _)| held.contains(scope))?;
            Some(Written {
                key: record.key,
                stamp: record.stamp,
                scope,
                seq,
            })
        });
        Ok(Verdict::Done(seen.collect()))
    }
}

/// Ascending, and nothing left out behind what was seen.
fn check_numbers(sent: &[Sent], high_water: u64) -> Result<(), ProblemCode> {
    let mut highest = high_water;
    let mut before = 0;
    for one in sent {
        if one.n <= before {
            return Err(ProblemCode::Malformed);
        }
        before = one.n;
        if one.n > highest {
            if one.n != highest + 1 {
                return Err(ProblemCode::NumberGap);
            }
            highest = one.n;
        }
    }
    Ok(())
}

fn read(receipt: &[u8]) -> Result<Receipt, EngineError> {
    cbor::from_bytes(receipt).map_err(|_| StorageError::Damaged { what: "receipt" }.into())
}
