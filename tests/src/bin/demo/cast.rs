//! Who plays: one committee, three cells, sixty-one plainly invented members, six phones.

use sotay_tests::commune::{AppointmentPlan, CommunePlan, MemberPlan, OrganisationPlan};

/// The cell whose meeting it is.
pub(crate) const CELL: &str = "c1";
/// Members of each cell.
const SIZES: [(&str, usize); 3] = [("c1", 22), ("c2", 20), ("c3", 19)];

/// A phone and whose it is.
pub(crate) struct Role {
    /// What the demo calls the phone.
    pub(crate) phone: &'static str,
    /// The member's code.
    pub(crate) member: &'static str,
    /// What the person is in the story.
    pub(crate) part: &'static str,
    /// Whether it goes through a network that can be cut.
    pub(crate) loses_network: bool,
}

/// The six phones.
pub(crate) const PHONES: [Role; 6] = [
    role("secretary", "c1-01", "bí thư", true),
    role("deputy", "c1-02", "phó bí thư", false),
    role("first", "c1-03", "đảng viên", false),
    role("second", "c1-04", "đảng viên", false),
    role("third", "c1-05", "đảng viên", true),
    role("stranger", "c2-02", "chi bộ khác", false),
];

const fn role(
    phone: &'static str,
    member: &'static str,
    part: &'static str,
    loses_network: bool,
) -> Role {
    Role {
        phone,
        member,
        part,
        loses_network,
    }
}

/// Everybody.
pub(crate) fn commune() -> CommunePlan {
    let organisation =
        |code: &str, name: &str, level: &str, above: Option<&str>| OrganisationPlan {
            code: code.into(),
            name: name.into(),
            level: level.into(),
            above: above.map(str::to_owned),
        };
    let mut plan = CommunePlan {
        organisations: vec![
            organisation("xa", "Đảng ủy xã Thí Dụ", "CommuneCommittee", None),
            organisation("c1", "Chi bộ thôn Mẫu Một", "PartyCell", Some("xa")),
            organisation("c2", "Chi bộ thôn Mẫu Hai", "PartyCell", Some("xa")),
            organisation("c3", "Chi bộ thôn Mẫu Ba", "PartyCell", Some("xa")),
        ],
        members: Vec::new(),
        appointments: Vec::new(),
    };
    for (cell, size) in SIZES {
        for number in 1..=size {
            plan.members.push(member(cell, number));
        }
        for (number, role) in [(1, "Secretary"), (2, "DeputySecretary")] {
            plan.appointments.push(AppointmentPlan {
                member: format!("{cell}-{number:02}"),
                organisation: cell.into(),
                role: role.into(),
            });
        }
    }
    plan
}

fn member(cell: &str, number: usize) -> MemberPlan {
    let named = match (cell, number) {
        ("c1", 1) => Some("Nguyễn Văn Thử"),
        ("c1", 2) => Some("Trần Thị Mẫu"),
        ("c1", 3) => Some("Lê Văn Ví Dụ"),
        ("c1", 4) => Some("Phạm Thị Giả Định"),
        ("c1", 5) => Some("Hoàng Văn Tạm Đặt"),
        ("c2", 2) => Some("Đỗ Thị Nơi Khác"),
        _ => None,
    };
    let status = match number {
        18 | 19 => "Probationary",
        17 => "Exempt",
        _ => "Official",
    };
    MemberPlan {
        code: format!("{cell}-{number:02}"),
        name: named.map_or_else(|| format!("Đồng chí Mẫu {cell}.{number:02}"), str::to_owned),
        cell: cell.into(),
        status: status.into(),
        phone: if number == 1 {
            "0900000001".into()
        } else {
            String::new()
        },
        born: "1970".into(),
        admitted_on: "2000-02-03".into(),
        official_on: if status == "Probationary" {
            String::new()
        } else {
            "2001-02-03".into()
        },
        card_number: String::new(),
    }
}
