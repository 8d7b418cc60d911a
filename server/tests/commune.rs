//! Making a commune and keeping its register, from CSV and from a real .xlsx file, and the command line around it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{CONFIG, MEMBERS, NOW, Place};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use sotay_model::organisation::{Member, MemberStatus};
use sotay_model::profile::Profile;
use sotay_model::record::Body;
use sotay_model::{CalendarDate, RecordKey, Scope};
use sotay_server::commune::{self, CellFault, Column, CommuneError, Config, Imported};
use sotay_server::storage::{Storage, StorageError};

fn read<T: Body>(place: &Place, key: RecordKey) -> T {
    let mut storage = Storage::open(&place.data().join(commune::DATABASE)).unwrap();
    let stored = storage.read().unwrap().record(key).unwrap().unwrap();
    stored.record.read().unwrap()
}

fn heads(place: &Place) -> Vec<u64> {
    let mut storage = Storage::open(&place.data().join(commune::DATABASE)).unwrap();
    let transaction = storage.read().unwrap();
    let organisations = place
        .commune
        .organisations
        .values()
        .map(|id| Scope::organisation(*id));
    let members = place.commune.members.values().map(|id| Scope::person(*id));
    organisations
        .chain(members)
        .map(|scope| transaction.head(scope).unwrap().head)
        .collect()
}

fn day(text: &str) -> Option<CalendarDate> {
    Some(text.parse().unwrap())
}

#[test]
fn the_example_becomes_a_commune() {
    let place = Place::new();
    assert_eq!(
        (
            place.commune.organisations.len(),
            place.commune.members.len()
        ),
        (3, 6)
    );
    let third: Member = read(&place, Member::key(place.commune.members["M03"]));
    assert_eq!(
        (third.name.as_str(), third.status),
        ("Đồng chí Mẫu 03", MemberStatus::Exempt)
    );
    let second: Profile = read(&place, Profile::key(place.commune.members["M02"]));
    assert_eq!((second.born, second.born_year), (None, Some(1975)));
    assert_eq!(second.card_number.as_deref(), Some("00000002"));
    let sixth: Member = read(&place, Member::key(place.commune.members["M06"]));
    assert_eq!(
        sixth.cell,
        place.cell("CB2"),
        "the cell may stand with its name"
    );
}

#[test]
fn the_same_list_again_changes_nothing() {
    let place = Place::new();
    let before = heads(&place);
    let list = commune::read_csv(MEMBERS.as_bytes()).unwrap();
    let imported = commune::import(&place.data(), &list, NOW.plus_minutes(60)).unwrap();
    assert_eq!(
        imported,
        Imported {
            new: 0,
            changed: 0,
            unchanged: 6,
            closed: 0,
        }
    );
    assert_eq!(heads(&place), before);
}

#[test]
fn a_later_list_adds_and_changes_and_deletes_nobody() {
    let place = Place::new();
    let text = "code,name,cell,status,date of birth,admitted_on,official_on,card_number,phone\n\
                M04,Đồng chí Mẫu 04,CB1,official,2001-11-20,22/12/2025,,,0900000004\n\
                M07,Đồng chí Mẫu 07,CB2,official,,,,,\n";
    let list = commune::read_csv(text.as_bytes()).unwrap();
    let imported = commune::import(&place.data(), &list, NOW).unwrap();
    assert_eq!(
        imported,
        Imported {
            new: 1,
            changed: 1,
            unchanged: 0,
            closed: 0,
        }
    );
    let fourth: Member = read(&place, Member::key(place.commune.members["M04"]));
    assert_eq!(fourth.status, MemberStatus::Official);
    let commune = sotay_server::Commune::open(&place.data()).unwrap();
    assert_eq!(commune.members.len(), 7);
}

#[test]
fn one_unclear_row_keeps_the_whole_list_out() {
    let place = Place::new();
    let before = heads(&place);
    let text = "code,name,cell,status\nM08,Đồng chí Mẫu 08,CB1,official\nM09,,CB7,official\n";
    let list = commune::read_csv(text.as_bytes()).unwrap();
    let Err(CommuneError::Rows { faults }) = commune::import(&place.data(), &list, NOW) else {
        panic!("the list was entered");
    };
    let found: Vec<_> = faults
        .iter()
        .map(|fault| (fault.row, fault.column, fault.fault.clone()))
        .collect();
    assert_eq!(
        found,
        [
            (3, Some(Column::Name), CellFault::Empty),
            (
                3,
                Some(Column::Cell),
                CellFault::UnknownCell { text: "CB7".into() }
            ),
        ]
    );
    assert_eq!(heads(&place), before);
    assert!(
        !sotay_server::Commune::open(&place.data())
            .unwrap()
            .members
            .contains_key("M08")
    );
}

#[test]
fn what_the_rules_refuse_is_reported_with_its_row() {
    let place = Place::new();
    let text = format!(
        "code,name,cell\nM08,{},CB1\nM09,Mẫu\u{202e}09,CB1\n",
        "x".repeat(5_000)
    );
    let list = commune::read_csv(text.as_bytes()).unwrap();
    let Err(CommuneError::Rows { faults }) = commune::import(&place.data(), &list, NOW) else {
        panic!("the list was entered");
    };
    assert_eq!(
        faults.iter().map(|fault| fault.row).collect::<Vec<_>>(),
        [2, 3]
    );
    assert!(
        faults
            .iter()
            .all(|fault| matches!(fault.fault, CellFault::Refused(_)))
    );
}

#[test]
fn a_failed_init_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = Config::parse(CONFIG).unwrap();
    let list = commune::read_csv("code,name,cell\nM01,Mẫu,CB9\n".as_bytes()).unwrap();
    assert!(matches!(
        commune::init(&config, &list, &data, NOW),
        Err(CommuneError::Rows { .. })
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // An office of somebody whom the list lacks.
    let list = commune::read_csv("code,name,cell\nM09,Mẫu,CB1\n".as_bytes()).unwrap();
    let failed = commune::init(&config, &list, &data, NOW);
    assert!(matches!(failed, Err(CommuneError::UnknownMember { code }) if code == "M01"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_in_use_is_not_touched() {
    let place = Place::new();
    let config = Config::parse(CONFIG).unwrap();
    let list = commune::read_csv(MEMBERS.as_bytes()).unwrap();
    let again = commune::init(&config, &list, &place.data(), NOW);
    assert!(matches!(again, Err(CommuneError::FolderInUse { .. })));
}

#[test]
fn a_spreadsheet_with_a_title_serial_days_and_bare_years_is_read() {
    let place = Place::new();
    let path = place.folder.path().join("danh-sach.xlsx");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let day_format = Format::new().set_num_format("dd/mm/yyyy");
    sheet
        .merge_range(0, 1, 0, 6, "DANH SÁCH ĐẢNG VIÊN", &Format::new())
        .unwrap();
    for (column, heading) in [
        "Mã",
        "Họ và tên",
        "Chi bộ",
        "Ngày sinh",
        "Ngày vào Đảng",
        "Số thẻ",
    ]
    .iter()
    .enumerate()
    {
        sheet.write_string(2, 1 + column as u16, *heading).unwrap();
    }
    let rows = [
        ("X1", "Nguye\u{302}\u{303}n Văn Thử"),
        ("X2", "Trần Thị Mẫu"),
    ];
    for (at, (code, name)) in rows.iter().enumerate() {
        let row = 3 + at as u32;
        sheet.write_string(row, 1, *code).unwrap();
        sheet.write_string(row, 2, *name).unwrap();
        sheet.write_string(row, 3, "CB1").unwrap();
        sheet.write_string(row, 6, "01234567").unwrap();
    }
    let born = ExcelDateTime::from_ymd(1954, 5, 7).unwrap();
    sheet
        .write_datetime_with_format(3, 4, &born, &day_format)
        .unwrap();
    sheet.write_number(4, 4, 1958).unwrap();
    sheet.write_string(3, 5, "03/02/1980").unwrap();
    book.save(&path).unwrap();

    let imported =
        commune::import(&place.data(), &commune::read_list(&path).unwrap(), NOW).unwrap();
    assert_eq!(
        imported,
        Imported {
            new: 2,
            changed: 0,
            unchanged: 0,
            closed: 0,
        }
    );
    let commune = sotay_server::Commune::open(&place.data()).unwrap();
    let first: Member = read(&place, Member::key(commune.members["X1"]));
    assert_eq!(first.name, "Nguyễn Văn Thử");
    let profile: Profile = read(&place, Profile::key(commune.members["X1"]));
    assert_eq!(
        (profile.born, profile.admitted_on),
        (day("1954-05-07"), day("1980-02-03"))
    );
    assert_eq!(profile.card_number.as_deref(), Some("01234567"));
    let profile: Profile = read(&place, Profile::key(commune.members["X2"]));
    assert_eq!((profile.born, profile.born_year), (None, Some(1958)));

    // The same card number, typed as a number, lost its zero.
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, text) in ["Mã", "Họ và tên", "Chi bộ", "Số thẻ"].iter().enumerate() {
        sheet.write_string(0, column as u16, *text).unwrap();
    }
    for (column, text) in ["X3", "Lê Văn Thử", "CB1"].iter().enumerate() {
        sheet.write_string(1, column as u16, *text).unwrap();
    }
    sheet.write_number(1, 3, 1_234_567).unwrap();
    book.save(&path).unwrap();
    let Err(CommuneError::Rows { faults }) =
        commune::import(&place.data(), &commune::read_list(&path).unwrap(), NOW)
    else {
        panic!("the list was entered");
    };
    assert_eq!(
        faults[0].to_string(),
        format!(
            "row 2, card_number: {}",
            CellFault::LostZeros {
                found: 7,
                expected: 8
            }
        )
    );
}

#[test]
fn server_a_cell_in_the_last_corner_of_a_sheet_costs_nothing() {
    let place = Place::new();
    let path = place.folder.path().join("danh-sach.xlsx");
    let write = |stray: (u32, u16)| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        for (column, text) in (0..).zip(["Mã", "Họ và tên", "Chi bộ"]) {
            sheet.write_string(0, column, text).unwrap();
        }
        sheet.write_string(stray.0, stray.1, "x").unwrap();
        book.save(&path).unwrap();
        commune::read_list(&path)
    };
    let rows = write((1_048_575, 3)).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1].0, rows[1].1.len()), (1_048_576, 4));
    // All cells up to there would fill 400 GB.
    assert_eq!(
        write((1_048_575, 16_383)),
        Err(commune::ListFault::TooLarge)
    );
}

#[test]
fn what_is_no_list_says_so() {
    let place = Place::new();
    let write = |name: &str, bytes: &[u8]| {
        let path = place.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        commune::read_list(&path)
    };
    assert_eq!(write("a.pdf", b"x"), Err(commune::ListFault::Extension));
    assert_eq!(
        write("a.csv", b"M\xe3,H\xe4"),
        Err(commune::ListFault::Encoding)
    );
    assert!(matches!(
        write("a.xlsx", b"no zip"),
        Err(commune::ListFault::Form(_))
    ));
    assert_eq!(
        write("a.csv", ",".repeat(1_000).as_bytes()),
        Err(commune::ListFault::TooLarge)
    );
    let list = commune::read_csv(b"1,2,3\n").unwrap();
    assert!(matches!(
        commune::import(&place.data(), &list, NOW),
        Err(CommuneError::NoHeading)
    ));
}

#[test]
fn an_invitation_needs_a_member_and_a_host() {
    let place = Place::new();
    let invite = |member, host| commune::invite(&place.data(), member, host, 14, NOW);
    assert_eq!(invite("M01", None).unwrap().host(), "localhost");
    assert_eq!(
        invite(" M01 ", Some("So-Tay.example:8443")).unwrap().host(),
        "so-tay.example:8443"
    );
    assert!(
        matches!(invite("M99", None), Err(CommuneError::UnknownMember { code }) if code == "M99")
    );
    assert!(matches!(
        invite("M01", Some("a b")),
        Err(CommuneError::Invitation(_))
    ));
    let nowhere = commune::invite(place.folder.path(), "M01", None, 14, NOW);
    assert!(matches!(
        nowhere,
        Err(CommuneError::Engine(
            sotay_server::engine::EngineError::Storage(StorageError::Missing { .. })
        ))
    ));
}

#[cfg(unix)]
#[test]
fn keys_can_be_read_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    for name in ["root.key", "spare-root.key", "server.key"] {
        let mode = std::fs::metadata(place.data().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn the_server_s_certificate_is_made_anew_before_it_ends() {
    let place = Place::new();
    let read = || std::fs::read_to_string(place.data().join("server.pem")).unwrap();
    let first = read();
    commune::Certificates::open(&place.data(), NOW.plus_minutes(300 * 24 * 60)).unwrap();
    assert_eq!(read(), first);
    commune::Certificates::open(&place.data(), NOW.plus_minutes(380 * 24 * 60)).unwrap();
    assert_ne!(read(), first);
}

#[cfg(unix)]
#[test]
fn the_command_line_makes_invites_serves_and_stops() {
    let program = env!("CARGO_BIN_EXE_sotay-server");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = env!("CARGO_MANIFEST_DIR");
    let run = |arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .arg("--data")
            .arg(&data)
            .output()
            .unwrap();
        (
            output.status.success(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let config = format!("{root}/commune.example.toml");
    let members = format!("{root}/members.example.csv");
    let (made, said, _) = run(&["init", "--config", &config, "--members", &members]);
    assert!(made);
    assert_eq!(said, "3 organisations, 6 members\n");

    for (arguments, answer) in [
        (&["minimum-version"][..], (true, "0.0.0\n")),
        (&["minimum-version", "1.2.3"], (true, "1.2.3\n")),
        (&["minimum-version", "1.2"], (false, "")),
        (&["minimum-version"], (true, "1.2.3\n")),
    ] {
        let (done, said, _) = run(arguments);
        assert_eq!((done, said.as_str()), answer, "{arguments:?}");
    }

    let mut serving = Command::new(program)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .trim()
        .strip_prefix("listening https://")
        .unwrap()
        .to_owned();
    let (invited, said, _) = run(&["invite", "--member", "M01", "--host", &address]);
    assert!(invited, "while the server runs");
    assert!(
        said.starts_with(&format!("sotay://join/{address}/")),
        "{said}"
    );
    let (known, _, complaint) = run(&["invite", "--member", "M99"]);
    assert!(!known && complaint.contains("M99"), "{complaint}");
    assert_eq!(
        run(&["import", "--members", &members]).1,
        "0 new, 0 changed, 6 unchanged\n"
    );
    assert_eq!(run(&["status"]).1, "3 organisations, 6 members, 0 phones\n");

    assert!(
        Command::new("kill")
            .arg(serving.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert!(
        serving.wait().unwrap().success(),
        "SIGTERM ends it in order"
    );
}
