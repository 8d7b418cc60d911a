//! Real messages to begin with: the examples of docs/protocol.md, and what the model's commune says and writes.

use std::sync::Arc;

use ring::signature::Ed25519KeyPair;
use sotay_client::foreign::{JournalStep, enter_in_journal, make_keys_file};
use sotay_client::simulation::Disk;
use sotay_model::board::BoardLink;
use sotay_model::device_key::PublicKey;
use sotay_model::documents::PublishDocument;
use sotay_model::enrolment::{Code, Invitation};
use sotay_model::meetings::{
    AcknowledgeNotice, AssumeChair, AttendanceMark, CancelMeeting, Choice, CorrectRollCall,
    DelegateChair, MarkChange, MarkInformed, ObjectToMark, ParticipationMode, RatifyChair,
    RequestAbsence, ResolveMarks, Respond, RespondOnBehalf, WithdrawAbsence,
};
use sotay_model::organisation::{MemberStatus, Role};
use sotay_model::session::SessionCertificate;
use sotay_model::signature::{self, Parameters};
use sotay_model::statement::{SignedStatement, Statement, Version};
use sotay_model::wire::{
    BlobState, ClaimEnrolment, Content, CurrentBody, Enrolled, EnrolmentClaimed, EnrolmentOpened,
    EnrolmentState, NewInvitation, OpenEnrolment, PROTOCOL, Page, PhoneLine, PhonesAnswer,
    PhonesRequest, PrivilegedAct, SyncResponse, TrustAnchors,
};
use sotay_model::{Id, InstallationId, Intent, Kind, Mutation, OrganisationId, Timestamp, cbor};
use sotay_server::audit::{Checkpoint, Kept};
use sotay_server::engine::Nonces;
use sotay_server::http::foreign as server;

use crate::commune::{self, Commune};
use crate::memory_disk::MemoryDisk;

const PAGE: &str = include_str!("../../../docs/protocol.md");

/// An example of the protocol's page, in CBOR.
pub(crate) fn example(kind: &str, name: &str) -> Vec<u8> {
    let begin = format!("```cbor {kind} {name}\n");
    let (_, behind) = PAGE.split_once(&begin).expect("an example of this name");
    let (text, _) = behind.split_once("```").expect("a block ends");
    let digits: Vec<u8> = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().bytes())
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a digit") as u8;
    digits
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// A first byte that chooses, and what follows.
fn chosen(choice: usize, bytes: &[u8]) -> Vec<u8> {
    let mut all = vec![u8::try_from(choice).expect("few choices")];
    all.extend_from_slice(bytes);
    all
}

/// Inputs to begin with, for the target of this name.
pub fn of(name: &str) -> Vec<Vec<u8>> {
    match name {
        "sync_response" | "sync_response_applied" => responses(),
        "sync_request" => requests(),
        "message_shape" => vec![
            example("SyncRequest", "second-request"),
            example("SyncResponse", "second-response"),
            [vec![0x81; 25], vec![0]].concat(),
            vec![0x7f, 0x61, 0x61, 0xff],
        ],
        "enrolment_message" => enrolment(),
        "receipt" => receipts(),
        "record" => records(),
        "mutation" => mutations(),
        "invitation" | "deep_link" | "code" => invitations(name),
        "board_link" => board_links(),
        "identifier" => identifiers(),
        "free_text" => [
            "Đồng chí Mẫu\n01",
            "TỐI MẬT",
            "Bảo mật: e\u{301}",
            "a\u{202e}b",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec(),
        "signature" => signatures(),
        "nonce" => nonces(),
        "blob_request" => blob_requests(),
        "header" => ["gzip, zstd;q=0.5", "zstd;q=0", "120", "Sotay.Example:443"]
            .map(|text| text.as_bytes().to_vec())
            .to_vec(),
        "packed_request" | "packed_response" => packed(),
        "wake_stream" => vec![
            b"\x08data: \n\n: \n\ndata: \n\n".to_vec(),
            b"\x01: \r\n\r\n: \r\n".to_vec(),
        ],
        "anchors" => vec![cbor::to_bytes(&anchors())],
        "session" => sessions(),
        "statement" => statements(),
        "journal" => journals(),
        "keys_file" => keys_files(),
        "audit" => audit(),
        "blob_file" => blob_files(),
        "import_csv" => vec![
            include_bytes!("../../../server/members.example.csv").to_vec(),
            "\u{feff}DANH SÁCH;;\n\nMã;Họ và tên;Chi bộ;Năm sinh\nA1;Mẫu;CB1;1958\n".into(),
        ],
        "import_xlsx" => xlsx(),
        "configuration" => vec![include_bytes!("../../../server/commune.example.toml").to_vec()],
        _ => Vec::new(),
    }
}

fn responses() -> Vec<Vec<u8>> {
    let mut second: SyncResponse =
        cbor::from_bytes(&example("SyncResponse", "second-response")).expect("an example");
    let mut all = vec![
        example("SyncResponse", "first-response"),
        example("SyncResponse", "second-response"),
    ];
    second.pages[0].rows[0].content = None;
    all.push(cbor::to_bytes(&second));
    second.incarnation += 1;
    second.pages[0].from = 0;
    second.pages[0].began = 2;
    second.settled_through = 1;
    all.push(cbor::to_bytes(&second));
    second.revoked = vec![second.pages[0].scope];
    second.pages.clear();
    all.push(cbor::to_bytes(&second));
    all
}

fn requests() -> Vec<Vec<u8>> {
    let examples = ["first-request", "second-request"].map(|name| example("SyncRequest", name));
    let mut all: Vec<_> = examples.iter().map(|bytes| chosen(0, bytes)).collect();
    let packed = zstd::encode_all(examples[1].as_slice(), 3).expect("it is packed");
    all.push(chosen(2, &packed));
    all
}

fn anchors() -> TrustAnchors {
    // Certificates that are none: whole ones would say little more to the reader of the list.
    TrustAnchors {
        tls: vec![vec![0x30; 32].into()],
        organisation: vec![vec![1; 32].into(), vec![2; 32].into()],
    }
}

fn device() -> PublicKey {
    PublicKey::ed25519(&[4; 32])
}

fn enrolment() -> Vec<Vec<u8>> {
    let phone = InstallationId(Id::from_bytes([4; 16]));
    let now = Timestamp(1_780_275_600_000);
    let open = OpenEnrolment {
        protocol: PROTOCOL,
        lookup: vec![1; 32],
        commitment: vec![7; 32],
    };
    let opened = EnrolmentOpened {
        anchors: cbor::to_bytes(&anchors()),
        mac: vec![2; 32],
        fresh: vec![3; 32],
        commitment: vec![8; 32],
    };
    let claim = ClaimEnrolment {
        lookup: vec![1; 32],
        device: device(),
        approval: Some(device()),
        nonce: vec![9; 32],
        fresh: vec![3; 32],
        device_name: "Điện thoại mẫu".into(),
        proof: vec![5; 32],
        signature: vec![6; 64],
    };
    let claimed = EnrolmentClaimed {
        installation: phone,
        nonce: vec![9; 32],
        now,
        until: now,
    };
    let active = EnrolmentState::Active(Enrolled {
        member: commune::person(commune::ANN),
        member_name: "Đồng chí Mẫu 01".into(),
        cell: commune::org(commune::CELL),
        now,
    });
    let act = cbor::to_bytes(&PrivilegedAct::Revoke(phone));
    let requests = [
        PhonesRequest::List,
        PhonesRequest::Rename(phone, "Máy mẫu".into()),
        PhonesRequest::Confirm(phone, 123_456),
        PhonesRequest::Begin(act.clone()),
        PhonesRequest::Finish(act.clone(), vec![1; 32], vec![2; 64]),
        PhonesRequest::Invite(NewInvitation {
            member: commune::person(commune::ANN),
            lookup: vec![1; 32],
            anchors: vec![2; 32],
            claim: vec![3; 32],
            days: 7,
        }),
    ];
    let answers = [
        PhonesAnswer::Done,
        PhonesAnswer::Phones(vec![PhoneLine {
            installation: phone,
            name: "Máy mẫu".into(),
            since: now,
            active: true,
        }]),
        PhonesAnswer::Challenge(vec![1; 32]),
        PhonesAnswer::WrongDigits(4),
        PhonesAnswer::Export("{}".into()),
    ];
    let mut all = vec![
        chosen(0, &cbor::to_bytes(&open)),
        chosen(1, &cbor::to_bytes(&opened)),
        chosen(2, &cbor::to_bytes(&claim)),
        chosen(3, &cbor::to_bytes(&claimed)),
        chosen(4, &cbor::to_bytes(&EnrolmentState::Waiting)),
        chosen(4, &cbor::to_bytes(&active)),
        chosen(7, &act),
    ];
    all.extend(requests.map(|request| chosen(5, &cbor::to_bytes(&request))));
    all.extend(answers.map(|answer| chosen(6, &cbor::to_bytes(&answer))));
    all
}

fn statements() -> Vec<Vec<u8>> {
    let statement = cbor::to_bytes(&Statement {
        serial: 7,
        anchors: anchors(),
        minimum: Version::parse("1.2.3").expect("a version"),
    });
    let signed = SignedStatement {
        statement: statement.clone(),
        signature: vec![6; 64],
    };
    vec![
        statement,
        signed.header().into_bytes(),
        b"1.2.3-beta".to_vec(),
    ]
}

fn sessions() -> Vec<Vec<u8>> {
    let certificate = SessionCertificate {
        installation: InstallationId(Id::from_bytes([4; 16])),
        key: vec![5; 32],
        nonce: "AAABnoBBi4CL3Ybo".into(),
        signature: vec![6; 64],
    };
    let point = [&[4][..], &[7; 64]].concat();
    let der = [&[0x30, 0x44, 2, 0x20][..], &[1; 32], &[2, 0x20], &[2; 32]].concat();
    vec![certificate.header().into_bytes(), point, der]
}

fn receipts() -> Vec<Vec<u8>> {
    let response: SyncResponse =
        cbor::from_bytes(&example("SyncResponse", "second-response")).expect("an example");
    let page: &Page = &response.pages[0];
    let body = CurrentBody {
        key: page.rows[0].key,
        stamp: page.rows[0].stamp,
        content: Content {
            kind: Kind::Response,
            parent: Id::from_bytes([3; 16]),
            body: vec![0xa0],
        },
    };
    let mut all = vec![
        chosen(0, &example("Receipt", "refused")),
        chosen(0, &example("Receipt", "not-yet")),
        chosen(0, &cbor::to_bytes(&response.receipts[0])),
        chosen(1, &example("Problem", "stale-nonce")),
        chosen(2, &cbor::to_bytes(&BlobState { received: 262_144 })),
        chosen(4, &cbor::to_bytes(page)),
        chosen(5, &cbor::to_bytes(&body)),
    ];
    // Each kind of refusal, with and without what it says.
    for case in 0..=12_u8 {
        for fields in [&[0x80][..], &[0x81, 1], &[0x82, 1, 1], &[0x82, 1, 0xf6]] {
            all.push(chosen(3, &[&[0x82, case][..], fields].concat()));
        }
    }
    all.push(chosen(3, &[0x82, 2, 0x81, 0x82, 1, 1]));
    all
}

fn records() -> Vec<Vec<u8>> {
    let communes = [Commune::with_notice(), {
        let mut commune = busy();
        commune.done(commune::SECRETARY, commune::publication(commune::CELL, 9));
        commune
    }];
    let mut all = Vec::new();
    for (place, kind) in Kind::ALL.iter().enumerate() {
        for commune in &communes {
            let of_kind = commune.store.records().filter(|one| one.0.kind == *kind);
            all.extend(of_kind.take(2).map(|one| chosen(place, &one.0.body)));
        }
    }
    all
}

/// The commune after a meeting at which everything happened.
fn busy() -> Commune {
    let mut commune = Commune::with_notice();
    let (meeting, organisation) = (commune::the_meeting(), commune::org(commune::CELL));
    commune.done(
        commune::BINH,
        RequestAbsence {
            meeting,
            organisation,
            member: commune::person(commune::BINH),
            reason: sotay_model::meetings::AbsenceReason::Health,
            note: Some("Mẫu".into()),
            channel: sotay_model::meetings::Channel::PhoneCall,
        },
    );
    commune.done(
        commune::ANN,
        Respond {
            meeting,
            organisation,
            choice: Choice::WillAttend,
            notice_version: 1,
        },
    );
    let mut after = Commune::confirmed();
    after.store = {
        let mut store = after.store;
        for (record, audience) in commune.store.records() {
            if matches!(record.kind, Kind::AbsenceRequest | Kind::Response) {
                store.write(&sotay_model::Effect {
                    puts: vec![sotay_model::Put {
                        key: record.key,
                        kind: record.kind,
                        parent: record.parent,
                        audience: audience.clone(),
                        body: record.body.clone(),
                    }],
                });
            }
        }
        store
    };
    after
}

/// One mutation of each kind, and when who can bring it: the place of the commune and of the actor in [`crate::rules`].
fn mutations() -> Vec<Vec<u8>> {
    let (meeting, organisation) = (commune::the_meeting(), commune::org(commune::CELL));
    let person = commune::person;
    let (ann, binh) = (person(commune::ANN), person(commune::BINH));
    let channel = sotay_model::meetings::Channel::PhoneCall;
    let operator = 9;
    let (secretary, by_ann, by_binh) = (0, 2, 3);
    let list: Vec<(usize, usize, Intent)> = vec![
        (
            0,
            operator,
            commune::entry(120, commune::CELL, MemberStatus::Official).into(),
        ),
        (
            0,
            operator,
            commune::appointment(commune::ANN, commune::CELL, Role::Assistant).into(),
        ),
        (
            0,
            operator,
            sotay_model::organisation::FoundOrganisation {
                id: commune::org(8),
                above: Some(commune::org(commune::COMMITTEE)),
                level: sotay_model::organisation::OrganisationLevel::PartyCell,
                name: "Chi bộ Mẫu 8".into(),
                policy: sotay_model::organisation::Policy::default(),
            }
            .into(),
        ),
        (
            0,
            operator,
            sotay_model::organisation::EndAppointment {
                member: person(commune::DEPUTY),
                id: commune::appointment(commune::DEPUTY, commune::CELL, Role::DeputySecretary).id,
                until: commune::date("2027-01-03"),
            }
            .into(),
        ),
        (
            0,
            operator,
            sotay_model::organisation::IntroduceTemporarily {
                id: commune::id(77),
                member: ann,
                host: commune::org(commune::OTHER_CELL),
                from: commune::date("2027-01-01"),
                until: commune::date("2027-02-01"),
            }
            .into(),
        ),
        (
            0,
            by_ann,
            sotay_model::profile::RequestCorrection {
                id: commune::id(78),
                field: sotay_model::profile::ProfileField::ALL[0],
                text: "Mẫu".into(),
            }
            .into(),
        ),
        (0, secretary, commune::publish().into()),
        (
            1,
            secretary,
            sotay_model::meetings::ChangeNotice {
                meeting,
                base: sotay_model::meetings::Base::Confirmed(sotay_model::Stamp {
                    incarnation: 1,
                    version: 1,
                }),
                notice: commune::notice(),
                urgent: false,
            }
            .into(),
        ),
        (
            1,
            secretary,
            CancelMeeting {
                meeting,
                reason: "Mẫu".into(),
            }
            .into(),
        ),
        (
            1,
            by_ann,
            AcknowledgeNotice {
                meeting,
                organisation,
                notice_version: 1,
            }
            .into(),
        ),
        (
            1,
            secretary,
            MarkInformed {
                meeting,
                organisation,
                member: ann,
                channel,
                notice_version: 1,
            }
            .into(),
        ),
        (
            1,
            by_ann,
            Respond {
                meeting,
                organisation,
                choice: Choice::WillAttend,
                notice_version: 1,
            }
            .into(),
        ),
        (
            1,
            secretary,
            RespondOnBehalf {
                meeting,
                organisation,
                member: ann,
                choice: Choice::WillAttend,
                channel,
                notice_version: 1,
            }
            .into(),
        ),
        (
            1,
            by_binh,
            RequestAbsence {
                meeting,
                organisation,
                member: binh,
                reason: sotay_model::meetings::AbsenceReason::Health,
                note: None,
                channel,
            }
            .into(),
        ),
        (
            1,
            by_binh,
            WithdrawAbsence {
                meeting,
                organisation,
            }
            .into(),
        ),
        (
            1,
            secretary,
            sotay_model::meetings::DecideAbsence {
                meeting,
                organisation,
                member: binh,
                granted: true,
                answer: Some("Mẫu".into()),
            }
            .into(),
        ),
        (1, secretary, commune::open().into()),
        (
            1,
            secretary,
            DelegateChair {
                meeting,
                organisation,
                member: ann,
            }
            .into(),
        ),
        (
            1,
            by_ann,
            AssumeChair {
                meeting,
                organisation,
                reason: "Mẫu".into(),
            }
            .into(),
        ),
        (
            2,
            secretary,
            RatifyChair {
                meeting,
                organisation,
            }
            .into(),
        ),
        (
            2,
            secretary,
            commune::mark(commune::ANN, AttendanceMark::Present).into(),
        ),
        (
            2,
            secretary,
            ResolveMarks {
                meeting,
                organisation,
                member: ann,
                mark: AttendanceMark::Present,
            }
            .into(),
        ),
        (3, by_ann, Commune::all_marked().confirm().into()),
        (
            4,
            secretary,
            CorrectRollCall {
                meeting,
                organisation,
                from: 1,
                changes: vec![MarkChange {
                    member: ann,
                    mark: AttendanceMark::Present,
                    mode: ParticipationMode::InRoom,
                }],
                reason: "Mẫu".into(),
            }
            .into(),
        ),
        (
            4,
            by_ann,
            ObjectToMark {
                meeting,
                organisation,
                text: "Mẫu".into(),
            }
            .into(),
        ),
        (0, secretary, commune::publication(commune::CELL, 9).into()),
        (
            0,
            secretary,
            PublishDocument {
                sections: Vec::new(),
                for_meeting: Some(meeting),
                ..commune::publication(commune::CELL, 10)
            }
            .into(),
        ),
    ];
    let mut all: Vec<_> = list
        .into_iter()
        .map(|(moment, actor, intent)| {
            let mutation = Mutation {
                made_at: commune::start(),
                needs: vec![1],
                intent,
            };
            chosen(moment + 5 * actor, &cbor::to_bytes(&mutation))
        })
        .collect();
    all.push(chosen(0, &example("Mutation", "mutation")));
    all
}

fn invitations(name: &str) -> Vec<Vec<u8>> {
    let code = Code::from_random([9, 8, 7, 6, 5, 4, 3, 2]);
    let hosts = [
        "sotay.example:8443",
        "127.0.0.1:8443",
        "[::1]:443",
        "localhost",
    ];
    let texts: Vec<String> = hosts
        .iter()
        .flat_map(|host| {
            let invitation = Invitation::new(host, code.clone()).expect("a host");
            let typed = format!("{host} {}", code.text().to_lowercase());
            [invitation.text(), typed]
        })
        .collect();
    match name {
        "code" => vec![
            code.text().into_bytes(),
            code.text().to_lowercase().replace('-', " ").into_bytes(),
            code.secret(),
        ],
        "deep_link" => texts
            .iter()
            .filter_map(|text| text.strip_prefix("sotay://join/"))
            .map(|rest| rest.as_bytes().to_vec())
            .collect(),
        _ => texts.into_iter().map(String::into_bytes).collect(),
    }
}

/// The key that stands for the organisation's.
pub(crate) fn organisation_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[1; 32]).expect("a seed of 32 bytes")
}

fn board_links() -> Vec<Vec<u8>> {
    let committee = OrganisationId(Id::from_bytes([7; 16]));
    let link = |host: &str, item: u8| {
        let item = Id::from_bytes([item; 16]);
        let signed = BoardLink::signed_bytes(host, committee, item);
        let signature = organisation_key().sign(&signed);
        let signature = signature.as_ref().try_into().expect("64 bytes");
        BoardLink::new(host, committee, item, signature).expect("a host")
    };
    [link("sotay.example", 1), link("127.0.0.1:8443", 2)]
        .map(|link| link.text().into_bytes())
        .to_vec()
}

fn identifiers() -> Vec<Vec<u8>> {
    let key = commune::the_meeting().0;
    let mut all = vec![
        key.to_string(),
        key.home.to_string(),
        key.id.to_string(),
        sotay_model::BlobDigest::of(b"Mau").to_string(),
        "2027-01-04".into(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect::<Vec<_>>();
    all.push(key.to_bytes().to_vec());
    all
}

fn signatures() -> Vec<Vec<u8>> {
    let key = signature::session_key(crate::http::key());
    [(1_780_275_660, "AAABnoBBi4CL3Ybo"), (-5, "none")]
        .map(|(created, nonce)| {
            let parameters = Parameters::new(created, key, nonce).expect("a nonce");
            let headers =
                signature::sign_with(crate::http::key(), &crate::http::REQUEST, &parameters);
            format!(
                "content-digest: {}\nsignature-input: {}\nsignature: {}",
                headers.content_digest, headers.signature_input, headers.signature
            )
            .into_bytes()
        })
        .to_vec()
}

fn nonces() -> Vec<Vec<u8>> {
    let now = Timestamp(1_790_000_000_000);
    let nonces = Nonces::new(&[1; 32], now);
    let session = [3; 32];
    let old = now.plus_minutes(-61);
    vec![
        nonces.for_session(&session, now).into_bytes(),
        nonces.for_session(&session, old).into_bytes(),
        nonces.for_claim(&[5; 32], &[7; 32], now).to_vec(),
        b"none".to_vec(),
    ]
}

fn blob_requests() -> Vec<Vec<u8>> {
    let digest = sotay_model::BlobDigest::of(b"Mau");
    let key = commune::the_meeting().0;
    vec![
        format!("/v1/blobs/{digest}?record={key}\nbytes=0-262143").into_bytes(),
        format!("/v1/blobs/{digest}?record={key}\nbytes=5-").into_bytes(),
        format!("/v1/blobs/{digest}?home={}&from=0&size=70000", key.home).into_bytes(),
    ]
}

fn packed() -> Vec<Vec<u8>> {
    let large = cbor::to_bytes(&Mutation {
        made_at: commune::start(),
        needs: vec![7; 4_000],
        intent: commune::publish().into(),
    });
    vec![
        server::packed(&large).expect("it is packed"),
        zstd::encode_all(&b"Mau"[..], 19).expect("it is packed"),
        zstd::encode_all(vec![0; 5 << 20].as_slice(), 1).expect("it is packed"),
    ]
}

fn journals() -> Vec<Vec<u8>> {
    let script: &[u8] = b"\x80\x00\x00\x03who\x01\x01\x04text\x02\x02\x04more\x03\x01\x00\x09\x02\x03why\x01\x03\x01x\x04\x02\x00\x05\x00\x00\xf0\x00\x00\x00\x20\x01\x00\x90\x00";
    let files = MemoryDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(files.clone());
    let path = std::path::Path::new("journal");
    let steps = [
        JournalStep::Identity(b"who".to_vec()),
        JournalStep::Keep(1, 1, b"text".to_vec()),
        JournalStep::Settle(1),
    ];
    // Under another root: as a file that somebody else put there.
    enter_in_journal(&disk, path, &[9; 32], &steps).expect("this disk never fails");
    vec![script.to_vec(), chosen(0, &files.get(path))]
}

fn keys_files() -> Vec<Vec<u8>> {
    let (disk, folder) = (MemoryDisk::default(), std::path::Path::new(""));
    make_keys_file(&disk, folder, &crate::files::ROOT).expect("this disk never fails");
    let file = disk.get(std::path::Path::new("keys"));
    // Magic, version, length, one wrap of 106 bytes; behind it its sum.
    let block = &file[..7 + 106];
    let mut with_pin = block.to_vec();
    with_pin[7] = 1;
    let mut newer = block.to_vec();
    newer[4] = 2;
    vec![
        chosen(0, &file[..7 + 106 + 32]),
        chosen(128, block),
        chosen(129, block),
        chosen(130, &with_pin),
        chosen(128, &newer),
    ]
}

fn audit() -> Vec<Vec<u8>> {
    let checkpoint = Checkpoint {
        n: 1,
        at: Timestamp(1_780_275_600_000),
        before: vec![1; 32],
        heads: Vec::new(),
    };
    let body = cbor::to_bytes(&checkpoint);
    let kept = Kept {
        n: 1,
        signature: crate::http::key()
            .sign(&Checkpoint::signed_bytes(&body))
            .as_ref()
            .to_vec(),
        key: vec![2; 32],
        body: body.clone(),
    };
    vec![
        chosen(0, kept.to_string().as_bytes()),
        chosen(1, &[0x82, 0, 0x80]),
        chosen(2, &body),
    ]
}

fn blob_files() -> Vec<Vec<u8>> {
    vec![
        b"\x80\x00\x10\x07text".to_vec(),
        b"\x81\x20\x10\x07text".to_vec(),
        b"\x82\x7f\xff\x07text".to_vec(),
        [&b"\x00\x00\x10\x07"[..], &[9; 200]].concat(),
    ]
}

/// A list that a spreadsheet wrote, and what is in it.
fn xlsx() -> Vec<Vec<u8>> {
    let sheet = r#"<worksheet><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="inlineStr"><is><t>born</t></is></c></row><row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><v>M</v></c><c r="C2" t="s"><v>3</v></c><c r="D2"><v>19851</v></c></row><row r="3"><c r="D3" t="d"><v>1958-12-31</v></c></row></sheetData></worksheet>"#;
    let texts = "<sst><si><t>code</t></si><si><t>name</t></si><si><r><t>cell</t></r></si><si><t>CB1</t></si></sst>";
    let parts = format!("{sheet}\0{texts}");
    let stray = r#"<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>"#;
    let low = r#"<worksheet><sheetData><c r="A1"><v>1</v></c><c r="ABC1048576"><v>1</v></c></sheetData></worksheet>"#;
    vec![
        chosen(0, include_bytes!("../inputs/members.xlsx")),
        chosen(0, &crate::imports::book(sheet.as_bytes(), texts.as_bytes())),
        chosen(128, parts.as_bytes()),
        chosen(128, stray.as_bytes()),
        chosen(128, low.as_bytes()),
    ]
}
