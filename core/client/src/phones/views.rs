//! What the screens about phones show.

use sotay_model::organisation::Role;
use sotay_model::qr::Qr;
use sotay_model::{CalendarDate, InstallationId, MemberId, OrganisationId, Timestamp};

/// A phone of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PhoneView {
    /// Its number.
    pub installation: InstallationId,
    /// What it is called.
    pub name: String,
    /// Since when it is known.
    pub since: Timestamp,
    /// An officer has confirmed it.
    pub active: bool,
    /// It is this one.
    pub this: bool,
}

/// An invitation that was just made. Its code is shown once and kept nowhere.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct InvitationView {
    /// What a QR code or a message holds: `sotay://join/<host:port>/<code>`.
    pub text: String,
    /// The code alone, to read out and to type.
    pub code: String,
    /// The server, to type beside the code.
    pub host: String,
    /// The text as a QR code.
    pub qr: QrView,
    /// Until when it can be used.
    pub until: Timestamp,
}

/// A QR code to draw, dark on light with four light modules on every side.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct QrView {
    /// How many modules a side has.
    pub size: u32,
    /// The rows from above, each from the left: whether a module is dark.
    pub rows: Vec<Vec<bool>>,
}

impl From<&Qr> for QrView {
    fn from(qr: &Qr) -> Self {
        let size = qr.size();
        let row = |y| (0..size).map(|x| qr.is_dark(x, y)).collect();
        Self {
            size,
            rows: (0..size).map(row).collect(),
        }
    }
}

impl std::fmt::Debug for QrView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Whoever sees the modules reads the code.
        f.debug_struct("QrView")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for InvitationView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationView")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// A phone that waits for this officer.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct JoiningPhoneView {
    /// Its number.
    pub installation: InstallationId,
    /// Who was invited.
    pub member: MemberId,
    /// The member's name.
    pub member_name: String,
    /// The member's home cell.
    pub cell_name: String,
    /// What the phone is called.
    pub device_name: String,
    /// What the member must read out, if nobody stands in between.
    pub digits: String,
    /// Since when it waits.
    pub since: Timestamp,
}

impl std::fmt::Debug for JoiningPhoneView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoiningPhoneView")
            .field("installation", &self.installation)
            .finish_non_exhaustive()
    }
}

/// What became of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Confirmation {
    /// The phone is the member's.
    Confirmed,
    /// The digits are not those that the server has: ask the member to read them out again. Without tries left the claim is
    /// void, and the member needs a new invitation.
    WrongDigits {
        /// How many tries are left.
        tries_left: u32,
    },
}

/// A task to be given to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TaskForm {
    /// Who.
    pub member: MemberId,
    /// Where.
    pub organisation: OrganisationId,
    /// What.
    pub role: Role,
    /// The number to call for this office.
    pub phone: Option<String>,
    /// First day.
    pub from: CalendarDate,
    /// Last day, if known.
    pub until: Option<CalendarDate>,
}
