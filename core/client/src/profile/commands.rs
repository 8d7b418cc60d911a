//! Reading the profile, and asking for a correction.

use sotay_model::organisation::{Appointment, Member};
use sotay_model::profile::{CorrectionRequest, Profile, ProfileField, RequestCorrection};

use super::views::{CorrectionView, OfficeView, ProfileView};
use crate::error::HandbookError;
use crate::handbook::Handbook;
use crate::organisation::{organisation_name, path_up};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// The profile and the card.
    pub fn profile(&self) -> Result<ProfileView, HandbookError> {
        self.read(|current| {
            let today = current.now().date();
            let me = current.me();
            let member = current
                .get::<Member>(Member::key(me))?
                .ok_or(HandbookError::NotHere)?
                .body;
            let profile = current
                .get::<Profile>(Profile::key(me))?
                .map(|found| found.body);
            let of = |read: fn(&Profile) -> Option<sotay_model::CalendarDate>| {
                profile.as_ref().and_then(read)
            };
            let (admitted_on, official_on) = (of(|p| p.admitted_on), of(|p| p.official_on));
            let mut offices = Vec::new();
            for found in current.all::<Appointment>()? {
                let appointment = found.body;
                if appointment.member == me && appointment.in_force(today) {
                    offices.push(OfficeView {
                        organisation: organisation_name(current, appointment.organisation)?,
                        role: appointment.role,
                        from: appointment.from,
                        until: appointment.until,
                    });
                }
            }
            let mut corrections = Vec::new();
            for found in current.children::<CorrectionRequest>(me.0)? {
                corrections.push(CorrectionView {
                    pending: current.pending_change(found.record.key)?.is_some(),
                    field: found.body.field,
                    text: found.body.text,
                    made_at: found.body.made_at,
                });
            }
            corrections.sort_by_key(|correction| correction.made_at);
            Ok(ProfileView {
                member: me,
                name: member.name,
                status: member.status,
                organisations: path_up(current, member.cell)?,
                born: of(|p| p.born),
                born_year: profile.as_ref().and_then(|p| p.born_year),
                admitted_on,
                official_on,
                party_age: official_on
                    .and(admitted_on)
                    .map(|day| day.years_until(today)),
                card_number: profile.as_ref().and_then(|p| p.card_number.clone()),
                card_issued_on: of(|p| p.card_issued_on),
                card_issued_by: profile.as_ref().and_then(|p| p.card_issued_by.clone()),
                offices,
                corrections,
            })
        })
    }

    /// Says that a line of the own profile is wrong; the office passes it to the register.
    pub fn request_correction(
        &self,
        field: ProfileField,
        text: String,
    ) -> Result<(), HandbookError> {
        let id = self.new_id()?;
        self.submit(RequestCorrection { id, field, text }.into())?;
        Ok(())
    }
}
