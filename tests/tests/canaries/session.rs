//! What two members do with their handbooks: everything that takes in or shows a text.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sotay_client::documents::{AttachmentForm, DocumentForm, SectionForm};
use sotay_client::meetings::NoticeForm;
use sotay_client::{Handbook, HandbookError, KeyVault};
use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::meetings::{AbsenceReason, Choice, MeetingKind, MeetingMode};
use sotay_model::profile::ProfileField;
use sotay_model::{DocumentKey, MeetingKey, MemberId};
use sotay_server::{Running, Server, ServerConfig};
use sotay_tests::commune::{
    AppointmentPlan, CommunePlan, Entered, MemberPlan, OrganisationPlan, confirm, invitation,
};
use sotay_tests::phone::MemoryVault;
use unicode_normalization::UnicodeNormalization;

use crate::word::{CARDS, Canaries, MEMBERS, PINS, TEXTS, card, name, text};

/// What was said to whoever called.
#[derive(Default)]
pub(crate) struct Said {
    /// Every error, as `Display` and as `Debug`.
    pub(crate) errors: String,
    /// `Debug` of everything that was shown.
    pub(crate) debug: String,
    /// What a support desk is told.
    pub(crate) told: String,
}

struct Phone {
    folder: PathBuf,
    vault: Arc<dyn KeyVault>,
    handbook: Arc<Handbook>,
}

/// Secretary and member.
pub(crate) struct Phones {
    ground: PathBuf,
    server: Option<Running>,
    commune: Entered,
    phones: [Phone; 2],
    invitations: [String; 2],
    next: usize,
    used: BTreeSet<String>,
    said: Said,
    meetings: Vec<MeetingKey>,
    document: Option<DocumentKey>,
}

fn opened(folder: &Path, vault: &Arc<dyn KeyVault>) -> Result<Arc<Handbook>, HandbookError> {
    Handbook::open(folder.to_string_lossy().into_owned(), vault.clone())
}

impl Phone {
    fn new(folder: PathBuf) -> Self {
        let vault: Arc<dyn KeyVault> = Arc::new(MemoryVault::default());
        let handbook = opened(&folder, &vault).unwrap();
        Self {
            folder,
            vault,
            handbook,
        }
    }
}

impl Phones {
    /// A commune whose members and organisations are canaries, its server, and two phones.
    pub(crate) fn new(ground: &Path, canaries: &mut Canaries) -> Self {
        let mut next = 0;
        let mut used = BTreeSet::new();
        let mut word = || {
            let word = text(next);
            next += 1;
            used.insert(word.clone());
            word
        };
        let mut plan = CommunePlan::default();
        for (code, level, above) in [
            ("xa", "CommuneCommittee", None),
            ("c1", "PartyCell", Some("xa")),
        ] {
            plan.organisations.push(OrganisationPlan {
                code: code.into(),
                name: word(),
                level: level.into(),
                above: above.map(str::to_owned),
            });
        }
        for number in 0..MEMBERS {
            let card_number = if number < CARDS {
                card(number)
            } else {
                String::new()
            };
            plan.members.push(MemberPlan {
                code: format!("m{number}"),
                name: name(number),
                cell: "c1".into(),
                status: "Official".into(),
                card_number: card_number.clone(),
                ..MemberPlan::default()
            });
            used.extend([name(number), card_number]);
        }
        plan.appointments.push(AppointmentPlan {
            member: "m0".into(),
            organisation: "c1".into(),
            role: "Secretary".into(),
        });
        let data = ground.join("server");
        let commune = plan.enter(&data, sotay_server::system_clock()).unwrap();
        let server = Server::start(ServerConfig::new(&data, ([127, 0, 0, 1], 0).into())).unwrap();
        let host = server.address().to_string();
        let invitations = ["m0", "m1"].map(|member| {
            let made = invitation(&data, member, &host).unwrap();
            let code = made.code().text();
            used.insert(code.clone());
            canaries.add(code);
            made.text()
        });
        Self {
            ground: ground.to_owned(),
            server: Some(server),
            commune,
            phones: ["secretary", "member"].map(|name| Phone::new(ground.join(name))),
            invitations,
            next,
            used,
            said: Said::default(),
            meetings: Vec::new(),
            document: None,
        }
    }

    /// Where their files lie.
    pub(crate) fn folders(&self) -> [PathBuf; 2] {
        [0, 1].map(|number| self.phones[number].folder.clone())
    }

    /// Which canaries were entered.
    pub(crate) fn used(&self) -> &BTreeSet<String> {
        &self.used
    }

    pub(crate) fn said(self) -> Said {
        self.said
    }

    fn secretary(&self) -> Arc<Handbook> {
        Arc::clone(&self.phones[0].handbook)
    }

    fn member(&self) -> Arc<Handbook> {
        Arc::clone(&self.phones[1].handbook)
    }

    /// A word that nobody has used; every other one decomposed, as some keyboards type.
    fn word(&mut self) -> String {
        let word = text(self.next);
        self.next += 1;
        assert!(self.next <= TEXTS, "too few canaries");
        self.used.insert(word.clone());
        if self.next.is_multiple_of(2) {
            word.nfd().collect()
        } else {
            word
        }
    }

    fn show<T: Debug>(&mut self, shown: Result<T, HandbookError>) -> Option<T> {
        match shown {
            Ok(shown) => {
                self.said.debug += &format!("{shown:?}\n{shown:#?}\n");
                Some(shown)
            }
            Err(error) => {
                self.said.errors += &format!("{error}\n{error:?}\n");
                None
            }
        }
    }

    fn refused<T: Debug>(&mut self, refused: Result<T, HandbookError>) -> HandbookError {
        let error = refused.unwrap_err();
        self.said.errors += &format!("{error}\n{error:?}\n");
        error
    }

    pub(crate) fn join(&mut self) {
        for number in [0, 1] {
            let (invitation, device) = (self.invitations[number].clone(), self.word());
            let handbook = Arc::clone(&self.phones[number].handbook);
            let joining = handbook.join(invitation.clone(), device.clone());
            let digits = self.show(joining).unwrap().digits;
            confirm(&self.ground.join("server"), &digits).unwrap();
            let joined = handbook.finish_joining();
            self.show(joined).unwrap();
            handbook.sync().unwrap();
            // It is used up, and it was mistyped.
            let again = handbook.join(invitation.clone(), device.clone());
            self.refused(again);
            let mistyped = handbook.join(invitation[..invitation.len() - 1].to_owned(), device);
            self.refused(mistyped);
        }
    }

    fn notice(&mut self) -> NoticeForm {
        let starts_at = sotay_server::system_clock().plus_minutes(3 * 24 * 60);
        NoticeForm {
            kind: MeetingKind::Regular,
            title: self.word(),
            starts_at,
            ends_at: starts_at.plus_minutes(90),
            place: self.word(),
            mode: MeetingMode::InRoom,
            agenda: vec![self.word(), self.word(), self.word()],
            documents: Vec::new(),
            guests: vec![self.word()],
            answer_by: None,
            absence_by: None,
        }
    }

    fn document(&mut self) -> DocumentForm {
        DocumentForm {
            title: self.word(),
            number: Some(self.word()),
            issuer: self.word(),
            kind: DocumentKind::Resolution,
            level: ConfidentialityLevel::Internal,
            issued_on: "2026-11-01".parse().unwrap(),
            for_meeting: None,
            sections: (1..=9)
                .map(|number| SectionForm {
                    number: number.to_string(),
                    heading: self.word(),
                    text: self.word(),
                })
                .collect(),
        }
    }

    /// A file to attach, full of one word in both forms of UTF-16.
    fn attachment(&mut self, bytes: usize) -> AttachmentForm {
        let (name, inside) = (self.word(), self.word());
        let folder = self.ground.join("to attach");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(bytes.to_string());
        let mut content = Vec::new();
        while content.len() < bytes {
            content.extend_from_slice(inside.as_bytes());
            content.extend(inside.encode_utf16().flat_map(u16::to_le_bytes));
            content.extend(inside.encode_utf16().flat_map(u16::to_be_bytes));
        }
        std::fs::write(&path, content).unwrap();
        AttachmentForm {
            name: format!("{name}.pdf"),
            media_type: "application/pdf".into(),
            path: path.to_string_lossy().into_owned(),
        }
    }

    /// Entries of every kind, while the server is away.
    pub(crate) fn write_offline(&mut self) {
        let (secretary, member) = (self.secretary(), self.member());
        for _ in 0..4 {
            let form = self.notice();
            let meeting = secretary.publish_notice(form, Vec::new()).unwrap();
            self.meetings.push(meeting);
        }
        let form = self.document();
        let files = [900_000, 70_000, 10].map(|bytes| self.attachment(bytes));
        let document = secretary.publish_document_with_attachments(form, files.into());
        self.document = Some(document.unwrap());
        for field in [ProfileField::Name, ProfileField::Other] {
            member.request_correction(field, self.word()).unwrap();
        }
        std::fs::remove_dir_all(self.ground.join("to attach")).unwrap();
    }

    /// The app dies: another one opens what lies there.
    pub(crate) fn crash(&mut self) {
        for number in [0, 1] {
            let phone = &self.phones[number];
            let folder = phone.folder.with_extension("killed");
            copy(&phone.folder, &folder);
            // The first one writes on into files that nobody has any more.
            phone.handbook.shutdown().unwrap();
            std::fs::remove_dir_all(&phone.folder).unwrap();
            std::fs::rename(&folder, &phone.folder).unwrap();
            self.phones[number].handbook = opened(&phone.folder, &phone.vault).unwrap();
        }
    }

    /// Everything is sent and received, answered, changed and refused by the server.
    pub(crate) fn exchange(&mut self) {
        let (secretary, member) = (self.secretary(), self.member());
        let synced = secretary.sync();
        self.show(synced).unwrap();
        member.sync().unwrap();
        let meetings = self.meetings.clone();
        member.respond(meetings[0], Choice::WillAttend, 1).unwrap();
        for meeting in &meetings[1..3] {
            let note = self.word();
            member
                .request_absence(*meeting, AbsenceReason::Health, Some(note))
                .unwrap();
        }
        member.sync().unwrap();
        secretary.sync().unwrap();
        let me = self.commune.members["m1"];
        for meeting in &meetings[1..3] {
            let answer = self.word();
            let decided = secretary.decide_absence(*meeting, me, true, Some(answer));
            self.show(decided).unwrap();
        }
        // Two ways that meet: the server refuses one of them, and it comes back.
        let base = secretary.meeting(meetings[0]).unwrap().base;
        let form = self.notice();
        let changed = secretary.change_notice(meetings[0], base, form, true);
        self.show(changed).unwrap();
        let reason = self.word();
        secretary.cancel_meeting(meetings[3], reason).unwrap();
        let note = self.word();
        let late = member.request_absence(meetings[3], AbsenceReason::Family, Some(note));
        self.show(late);
        secretary.sync().unwrap();
        let synced = member.sync();
        self.show(synced);
        let document = self.document.unwrap();
        for index in 0..3 {
            member.fetch_attachment(document, index).unwrap();
            let read = member.read_attachment(document, index, 0, 4_096).unwrap();
            assert!(read.len() >= 10);
        }
        secretary.set_reading_place(document, 3).unwrap();
    }

    /// Every screen, as a careless line would print it.
    pub(crate) fn read_everything(&mut self) {
        let (meetings, document) = (self.meetings.clone(), self.document.unwrap());
        for handbook in [self.secretary(), self.member()] {
            self.show(handbook.joined());
            self.show(handbook.home());
            self.show(handbook.outbox());
            self.show(handbook.profile());
            self.show(handbook.meetings(None, 200));
            self.show(handbook.library(None, 200));
            self.show(handbook.document(document));
            self.show(handbook.sections(document, 0, 100));
            self.show(handbook.sync_state());
            self.show(handbook.attachment_storage());
            for meeting in &meetings {
                self.show(handbook.meeting(*meeting));
                self.show(handbook.answers(*meeting));
                self.show(handbook.roll_call(*meeting));
                self.show(handbook.notice_form(*meeting));
            }
            self.said.told += &handbook.support_text().unwrap();
        }
        // That it is there to be shown: whoever asks for everything gets it.
        let home = format!("{:-?}", self.member().home().unwrap());
        assert!(home.contains(&name(1)), "{home}");
    }

    /// Everything that is answered with an error, its text with a word in it.
    pub(crate) fn be_refused(&mut self) {
        let (secretary, member) = (self.secretary(), self.member());
        let marked = |word: String| format!("TỐI MẬT: {word}");
        for _ in 0..3 {
            let mut form = self.notice();
            form.title = marked(form.title);
            let refused = secretary.publish_notice(form, Vec::new());
            assert!(matches!(
                self.refused(refused),
                HandbookError::Refused { .. }
            ));
            let mut form = self.document();
            form.sections[0].text = marked(self.word());
            let refused = secretary.publish_document(form);
            assert!(matches!(
                self.refused(refused),
                HandbookError::Refused { .. }
            ));
        }
        let nowhere = MeetingKey(self.document.unwrap().0);
        let word = self.word();
        let errors = [
            member.cancel_meeting(self.meetings[0], word.clone()),
            member.assume_chair(self.meetings[0], word.clone()),
            member.object_to_mark(self.meetings[0], word.clone()),
            member.decide_absence(
                self.meetings[0],
                MemberId(nowhere.0.id),
                true,
                Some(word.clone()),
            ),
            member.request_correction(ProfileField::Other, marked(self.word())),
            member.request_correction(ProfileField::Other, self.word() + "\u{202e}"),
            member.request_absence(nowhere, AbsenceReason::Other, Some(self.word())),
        ];
        let mut refused = 0;
        for entered in errors {
            refused += u8::from(self.show(entered).is_none());
        }
        assert!(refused >= 5, "{refused}");
        let too_long = self.word().repeat(2_000);
        let refused = member.request_correction(ProfileField::Other, too_long);
        self.refused(refused);
        for invitation in ["", "sotay://join/", "a b c"] {
            let invitation = format!("{invitation}{}", self.word());
            let fresh = Phone::new(self.ground.join("fresh"));
            let refused = fresh.handbook.join(invitation, self.word());
            self.refused(refused);
            fresh.handbook.wipe().unwrap();
        }
        // Whatever is left.
        while self.next + 2 < TEXTS {
            let word = self.word();
            member
                .request_correction(ProfileField::Other, word)
                .unwrap();
        }
        if let Some(server) = self.server.take() {
            server.shutdown();
        }
        let unreachable = member.sync();
        self.refused(unreachable);
    }

    /// A PIN each; wrong ones, malformed ones.
    pub(crate) fn lock(&mut self) {
        for (number, pin) in PINS.into_iter().enumerate() {
            let handbook = Arc::clone(&self.phones[number].handbook);
            handbook.set_pin(pin.into()).unwrap();
            self.used.insert(pin.into());
            let wrong = handbook.change_pin(PINS[1 - number].into(), pin.into());
            self.refused(wrong);
            let malformed = handbook.change_pin(format!("{pin}0"), pin.into());
            self.refused(malformed);
            let word = self.word();
            let malformed = handbook.set_pin(word);
            self.refused(malformed);
            handbook.rotate_keys().unwrap();
            handbook.shutdown().unwrap();
            let phone = &self.phones[number];
            let (folder, vault) = (phone.folder.clone(), phone.vault.clone());
            let locked = opened(&folder, &vault);
            self.refused(locked);
            let folder = folder.to_string_lossy().into_owned();
            let wrong =
                Handbook::open_with_pin(folder.clone(), vault.clone(), PINS[1 - number].into());
            self.refused(wrong);
            let opened = Handbook::open_with_pin(folder, vault, pin.into()).unwrap();
            self.said.debug += &format!("{opened:?}");
            self.phones[number].handbook = opened;
        }
    }

    pub(crate) fn pause(&mut self) {
        for number in [0, 1] {
            let handbook = Arc::clone(&self.phones[number].handbook);
            handbook.pause(1_000).unwrap();
            let paused = handbook.home();
            self.refused(paused);
        }
        for phone in &self.phones {
            phone.handbook.resume().unwrap();
        }
    }

    pub(crate) fn wipe(&mut self) {
        let unsent = self.member().sign_out(false);
        assert!(matches!(self.refused(unsent), HandbookError::Unsent { .. }));
        for phone in &self.phones {
            phone.handbook.wipe().unwrap();
        }
        let gone = self.member().home();
        self.refused(gone);
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
