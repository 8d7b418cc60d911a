//! Records of the profile.

use crate::cbor::{cbor_code, cbor_map};
use crate::id::{Id, MemberId, OrganisationId, RecordKey, Scope};
use crate::inventory::{Kept, Retention};
use crate::record::{Body, Kind};
use crate::time::{CalendarDate, Timestamp};

cbor_map! {
    /// What the register says of a member. Home `person:<member>`, parent: the member. Shown to nobody else.
    pub struct Profile {
        /// The member.
        0 => member: MemberId [Who],
        /// ngày sinh; registers often hold only the year
        1 => born: Option<CalendarDate> [Private],
        /// Year of birth where the day is not known.
        2 => born_year: Option<u32> [Private],
        /// ngày vào Đảng
        3 => admitted_on: Option<CalendarDate> [Private],
        /// ngày chính thức
        4 => official_on: Option<CalendarDate> [Private],
        /// số thẻ đảng viên
        5 => card_number: Option<String> [Private],
        /// ngày cấp thẻ
        6 => card_issued_on: Option<CalendarDate> [Private],
        /// nơi cấp thẻ
        7 => card_issued_by: Option<String> [Private],
    }
}

impl Body for Profile {
    const KIND: Kind = Kind::Profile;
    const KEPT: Kept = Kept {
        purpose: "The member reads what the register says, and reports what is wrong.",
        about: "The member's.",
        seen_by: "The member alone.",
        until: Retention::People("Membership in that organisation"),
        because: ": it is a copy, the register stays elsewhere",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        vec![Scope::person(self.member)]
    }
}

impl Profile {
    /// The key of a member's profile.
    pub fn key(member: MemberId) -> RecordKey {
        RecordKey::new(Scope::person(member), Id::derived("profile", &[member.0]))
    }
}

cbor_code! {
    /// A line of the profile.
    pub enum ProfileField {
        /// Name.
        Name = 1,
        /// Birthday.
        Born = 2,
        /// ngày vào Đảng
        AdmittedOn = 3,
        /// ngày chính thức
        OfficialOn = 4,
        /// số thẻ
        CardNumber = 5,
        /// The cell.
        Cell = 6,
        /// Something else.
        Other = 7,
    }
}

cbor_map! {
    /// A member says that a line of the profile is wrong. Home `person:<member>`, parent: the member.
    /// Shown to the member and to the office of the home cell, which passes it to the register.
    pub struct CorrectionRequest {
        /// Who asks.
        0 => member: MemberId [Who],
        /// Which line.
        1 => field: ProfileField [About],
        /// What it should say, in the member's words.
        2 => text: String [Words],
        /// When it was written, by the phone's clock.
        3 => made_at: Timestamp [About],
        /// The home cell, whose office passes it on.
        4 => cell: OrganisationId [About],
    }
}

impl Body for CorrectionRequest {
    const KIND: Kind = Kind::CorrectionRequest;
    const KEPT: Kept = Kept {
        purpose: "The office hears what is wrong in the register.",
        about: "The member's.",
        seen_by: "The member, and the office of the home cell.",
        until: Retention::Written { years: 1 },
        because: "",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        vec![Scope::person(self.member), Scope::office(self.cell)]
    }
}
