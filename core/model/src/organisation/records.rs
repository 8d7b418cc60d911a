//! Records of the organisation tree.

use crate::cbor::{cbor_code, cbor_map};
use crate::id::{MemberId, OrganisationId, RecordKey, Scope};
use crate::inventory::{Kept, Retention};
use crate::record::{Body, Kind};
use crate::time::CalendarDate;

cbor_code! {
    /// What an organisation is called; the tree itself may be of any depth (QĐ 294 §10.1: no district level since 2025).
    pub enum OrganisationLevel {
        /// trung ương
        Central = 1,
        /// tỉnh ủy, thành ủy
        ProvincialCommittee = 2,
        /// đảng ủy xã, phường, đặc khu
        CommuneCommittee = 3,
        /// đảng bộ cơ sở, from 30 members
        GrassrootsCommittee = 4,
        /// chi bộ cơ sở, under 30 members
        GrassrootsCell = 5,
        /// đảng bộ bộ phận
        SectionCommittee = 6,
        /// chi bộ trực thuộc, from 3 official members
        PartyCell = 7,
        /// tổ đảng
        PartyGroup = 8,
    }
}

cbor_map! {
    /// What an organisation decided where no source settles it.
    pub struct Policy {
        /// Minutes before the beginning until which an answer counts as in time, unless the notice says otherwise.
        0 => answer_minutes_before: u32 [No],
        /// Minutes before the beginning until which an absence may be asked for without counting as late.
        1 => absence_minutes_before: u32 [No],
        /// Days in which a member may object to the own line of a confirmed roll call.
        2 => objection_days: u32 [No],
        /// Whether an accepted excuse takes the member out of the base of the attendance rate.
        3 => excused_leave_rate_base: bool [No],
        /// Whether members here for a temporary activity count in the attendance rate.
        4 => temporary_in_counts: bool [No],
        /// The attendance rate, in percent, that a good meeting exceeds.
        5 => good_attendance_percent: u32 [No],
        /// A notice given less than this many minutes ahead is marked late (HD 42-HD/BTCTW: one day).
        6 => notice_minutes_ahead: u32 [No],
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            answer_minutes_before: 12 * 60,
            absence_minutes_before: 12 * 60,
            objection_days: 7,
            excused_leave_rate_base: false,
            temporary_in_counts: true,
            good_attendance_percent: 85,
            notice_minutes_ahead: 24 * 60,
            unknown: crate::cbor::UnknownKeys::none(),
        }
    }
}

cbor_map! {
    /// An organisation (tổ chức đảng). Home `org:<id>`, parent: the organisation above.
    /// Shown to its members, to those below, and to the office above.
    pub struct Organisation {
        /// Its id.
        0 => id: OrganisationId [No],
        /// The organisation directly above; none for the root.
        1 => above: Option<OrganisationId> [No],
        /// What it is called.
        2 => level: OrganisationLevel [No],
        /// Its name.
        3 => name: String [No],
        /// What it decided.
        4 => policy: Policy [No],
    }
}

impl Body for Organisation {
    const KIND: Kind = Kind::Organisation;
    const KEPT: Kept = Kept {
        purpose: "Everybody finds the own place in the tree, and the policy that meetings go by.",
        about: "Nobody's.",
        seen_by: "The organisation's members, those below it, and the office above it.",
        until: Retention::People("The organisation exists"),
        because: "",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        std::iter::once(Scope::organisation(self.id))
            .chain(self.above.map(Scope::office))
            .collect()
    }
}

impl Organisation {
    /// The key of an organisation's record.
    pub const fn key(id: OrganisationId) -> RecordKey {
        RecordKey::new(Scope::organisation(id), id.0)
    }
}

cbor_code! {
    /// A member's status (QĐ 294).
    pub enum MemberStatus {
        /// chính thức: votes
        Official = 1,
        /// dự bị, 12 months: speaks, does not vote
        Probationary = 2,
        /// miễn công tác và sinh hoạt: may attend
        Exempt = 3,
        /// đình chỉ sinh hoạt
        Suspended = 4,
        /// đã chuyển sinh hoạt
        Transferred = 5,
        /// xoá tên
        Removed = 6,
        /// khai trừ
        Expelled = 7,
        /// quần chúng ưu tú
        Candidate = 8,
        /// sinh hoạt tạm thời at this organisation, official elsewhere; no vote here
        TemporaryIn = 9,
        /// official member introduced to temporary activity elsewhere
        TemporaryOut = 10,
        /// khách mời: outside every figure
        Guest = 11,
    }
}

cbor_map! {
    /// A member's line in the directory of the own cell. Home `person:<id>`, parent: the home cell.
    /// Shown to the cell and to the member; what is private stands in [`crate::profile::Profile`].
    pub struct Member {
        /// The member.
        0 => id: MemberId [Who],
        /// The home cell.
        1 => cell: OrganisationId [No],
        /// The name as people say it.
        2 => name: String [Who],
        /// The status at home; `TemporaryOut` follows from [`TemporaryActivity`].
        3 => status: MemberStatus [About],
        /// The number to call, as the register has it.
        4 => phone: Option<String> [Who],
    }
}

impl Body for Member {
    const KIND: Kind = Kind::Member;
    const KEPT: Kept = Kept {
        purpose: "The cell knows who belongs to it and how to call them; rights follow from the status.",
        about: "The member's.",
        seen_by: "The members of the home cell, and the member.",
        until: Retention::People("Membership in that organisation, and one year more"),
        because: ", so that confirmed sheets can be read",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        vec![Scope::organisation(self.cell), Scope::person(self.id)]
    }
}

impl Member {
    /// The key of a member's record.
    pub const fn key(id: MemberId) -> RecordKey {
        RecordKey::new(Scope::person(id), id.0)
    }
}

cbor_map! {
    /// A temporary activity (sinh hoạt tạm thời): a member of one cell takes part in another for 3 months to under 1 year,
    /// students up to 2. Home `person:<member>`, parent: the host. Shown to both cells and to the member.
    pub struct TemporaryActivity {
        /// The member.
        0 => member: MemberId [Who],
        /// The member's name, since the host's members do not see the home cell's directory.
        1 => name: String [Who],
        /// The home cell, where the member is counted.
        2 => home_cell: OrganisationId [About],
        /// Where the member takes part, without a vote.
        3 => host: OrganisationId [About],
        /// First day.
        4 => from: CalendarDate [About],
        /// Last day.
        5 => until: CalendarDate [About],
        /// Official or probationary at home.
        6 => status: MemberStatus [About],
    }
}

impl Body for TemporaryActivity {
    const KIND: Kind = Kind::TemporaryActivity;
    const KEPT: Kept = Kept {
        purpose: "Both cells know who takes part where, so that nobody is counted twice.",
        about: "The member's.",
        seen_by: "The members of both cells, and the member.",
        until: Retention::LastDay { years: 1 },
        because: "",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        vec![
            Scope::organisation(self.home_cell),
            Scope::organisation(self.host),
            Scope::person(self.member),
        ]
    }
}

impl TemporaryActivity {
    /// Whether it is in force on this day.
    pub fn in_force(&self, day: CalendarDate) -> bool {
        self.from <= day && day <= self.until
    }
}

cbor_code! {
    /// An office or task in an organisation.
    pub enum Role {
        /// bí thư
        Secretary = 1,
        /// phó bí thư
        DeputySecretary = 2,
        /// chi ủy viên, cấp ủy viên
        CommitteeMember = 3,
        /// the committee member of the organisation above who follows this cell
        CellFollower = 4,
        /// a younger member who types for an office holder: enters, never decides
        Assistant = 5,
        /// confirms enrolments and nothing else
        EnrolmentHelper = 6,
    }
}

cbor_map! {
    /// Who holds which office from when to when. Home `person:<member>`, parent: the organisation.
    /// Shown to the organisation and to the person.
    pub struct Appointment {
        /// Who.
        0 => member: MemberId [Who],
        /// Where.
        1 => organisation: OrganisationId [No],
        /// What.
        2 => role: Role [About],
        /// The person's name, since those below do not see the person's own cell.
        3 => name: String [Who],
        /// The number to call, if the person gave one for this office.
        4 => phone: Option<String> [Who],
        /// First day.
        5 => from: CalendarDate [About],
        /// Last day; none while it lasts.
        6 => until: Option<CalendarDate> [About],
    }
}

impl Body for Appointment {
    const KIND: Kind = Kind::Appointment;
    const KEPT: Kept = Kept {
        purpose: "Who may do what follows from it; members know whom to call.",
        about: "The office holder's.",
        seen_by: "The organisation's members and those below it, and the office holder.",
        until: Retention::LastDay { years: 1 },
        because: ", so that what was done under it can be judged",
    };

    fn audience(&self, _home: Scope) -> Vec<Scope> {
        vec![
            Scope::organisation(self.organisation),
            Scope::person(self.member),
        ]
    }
}

impl Appointment {
    /// Whether it is in force on this day.
    pub fn in_force(&self, day: CalendarDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}
