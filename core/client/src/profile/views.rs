//! What the profile screen shows.

use sotay_model::organisation::{MemberStatus, Role};
use sotay_model::profile::ProfileField;
use sotay_model::{CalendarDate, MemberId, Timestamp};

/// The profile and the card, read only.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ProfileView {
    /// The member.
    pub member: MemberId,
    /// Name.
    pub name: String,
    /// Status.
    pub status: MemberStatus,
    /// The organisations from the own cell up.
    pub organisations: Vec<String>,
    /// Birthday.
    pub born: Option<CalendarDate>,
    /// Year of birth where the day is not known.
    pub born_year: Option<u32>,
    /// ngày vào Đảng
    pub admitted_on: Option<CalendarDate>,
    /// ngày chính thức
    pub official_on: Option<CalendarDate>,
    /// tuổi Đảng: whole years since the day of admission, for members who became official.
    pub party_age: Option<u32>,
    /// số thẻ; shown on demand only.
    pub card_number: Option<String>,
    /// ngày cấp thẻ
    pub card_issued_on: Option<CalendarDate>,
    /// nơi cấp thẻ
    pub card_issued_by: Option<String>,
    /// Offices in force.
    pub offices: Vec<OfficeView>,
    /// Corrections asked for.
    pub corrections: Vec<CorrectionView>,
}

/// An office.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OfficeView {
    /// The organisation's name; empty where it is not on this phone.
    pub organisation: String,
    /// The role.
    pub role: Role,
    /// First day.
    pub from: CalendarDate,
    /// Last day.
    pub until: Option<CalendarDate>,
}

/// A correction asked for.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CorrectionView {
    /// Which line.
    pub field: ProfileField,
    /// What it should say.
    pub text: String,
    /// When it was asked for.
    pub made_at: Timestamp,
    /// Not yet with the server.
    pub pending: bool,
}

sotay_model::redacted! {
    ProfileView { member, name, status, organisations, born, born_year, admitted_on,
        official_on, party_age, card_number, card_issued_on, card_issued_by, offices,
        corrections },
    OfficeView { organisation, role, from, until },
    CorrectionView { field, text, made_at, pending },
}
