//! Random trees and random histories: organisations that move, members who transfer, offices that begin and end, day after day;
//! and on every day the rules and the second evaluator agree about everybody.

use proptest::prelude::*;
use proptest::sample::select;
use sotay_model::id::Scope;
use sotay_model::meetings::AttendanceMark;
use sotay_model::organisation::{
    Act, Appoint, EndAppointment, FoundOrganisation, IntroduceTemporarily, Marking, MemberStatus,
    OnBehalf, OrganisationLevel, Policy, Role, Seat, is_cell, permit,
};
use sotay_model::world::{Reader, Stop};
use sotay_model::{Actor, CalendarDate, Intent, Mutation, Now, Outcome, Timestamp, World};

use super::common::{Store, date, entry, id, org, person};
use super::reference::{Ask, Office, Register, Visit};

const ORGANISATIONS: u32 = 8;
const MEMBERS: u32 = 6;
/// Entered nowhere.
const NOBODY: u32 = 99;

/// What the register says next.
#[derive(Debug, Clone)]
enum Event {
    Found {
        organisation: u32,
        above: Option<u32>,
    },
    Enter {
        member: u32,
        home: u32,
        status: MemberStatus,
    },
    Appoint {
        member: u32,
        organisation: u32,
        role: Role,
        ahead: u32,
        days: Option<u32>,
    },
    End {
        which: usize,
        ahead: u32,
    },
    Introduce {
        member: u32,
        host: u32,
        ahead: u32,
        days: u32,
    },
    Pass {
        days: u32,
    },
}

fn level(organisation: u32) -> OrganisationLevel {
    match organisation % 3 {
        0 => OrganisationLevel::PartyCell,
        1 => OrganisationLevel::CommuneCommittee,
        _ => OrganisationLevel::SectionCommittee,
    }
}

fn organisation() -> impl Strategy<Value = u32> {
    1..=ORGANISATIONS
}

fn member() -> impl Strategy<Value = u32> {
    prop_oneof![12 => 1..=MEMBERS, 1 => Just(NOBODY)]
}

fn role() -> impl Strategy<Value = Role> {
    select(Role::ALL)
}

fn status() -> impl Strategy<Value = MemberStatus> {
    prop_oneof![
        8 => Just(MemberStatus::Official),
        1 => Just(MemberStatus::Probationary),
        1 => Just(MemberStatus::Exempt),
        1 => Just(MemberStatus::Suspended),
        1 => Just(MemberStatus::Transferred),
        1 => Just(MemberStatus::Removed),
        1 => Just(MemberStatus::Candidate),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => (organisation(), proptest::option::of(organisation()))
            .prop_map(|(organisation, above)| Event::Found { organisation, above }),
        3 => (member(), organisation(), status())
            .prop_map(|(member, home, status)| Event::Enter { member, home, status }),
        6 => (member(), organisation(), role(), 0..3_u32, proptest::option::of(0..4_u32)).prop_map(
            |(member, organisation, role, ahead, days)| Event::Appoint {
                member, organisation, role, ahead, days,
            }
        ),
        2 => (any::<usize>(), 0..2_u32).prop_map(|(which, ahead)| Event::End { which, ahead }),
        2 => (member(), organisation(), 0..3_u32, 0..4_u32).prop_map(
            |(member, host, ahead, days)| Event::Introduce { member, host, ahead, days }
        ),
        4 => (1..3_u32).prop_map(|days| Event::Pass { days }),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let two = || (organisation(), organisation());
    let at_about = || (organisation(), member(), any::<bool>());
    let seat = || (organisation(), any::<bool>());
    prop_oneof![
        two().prop_map(|(caller, other)| Ask::Call { caller, other }),
        organisation().prop_map(Ask::Change),
        seat().prop_map(|(at, convened)| Ask::Answer { at, convened }),
        at_about().prop_map(|(at, other, convened)| Ask::AnswerFor {
            at,
            other,
            convened
        }),
        (two(), member()).prop_map(|((at, deciding), other)| Ask::Excuse {
            at,
            deciding,
            other
        }),
        organisation().prop_map(Ask::Delegate),
        at_about().prop_map(|(at, other, chair)| Ask::Mark { at, other, chair }),
        seat().prop_map(|(at, seated)| Ask::Confirm { at, seated }),
        seat().prop_map(|(at, seated)| Ask::Correct { at, seated }),
        organisation().prop_map(Ask::Object),
        organisation().prop_map(Ask::Publish),
        Just(Ask::SayItIsWrong),
        member().prop_map(Ask::Invite),
        member().prop_map(Ask::ConfirmPhone),
        member().prop_map(Ask::ListPhones),
        member().prop_map(Ask::RevokePhone),
        (organisation(), role()).prop_map(|(at, role)| Ask::Grant { at, role }),
        member().prop_map(Ask::Export),
    ]
}

/// The question in the program's own terms.
fn act(ask: Ask) -> Act {
    let chair = |chair| Seat {
        chair,
        ..Seat::default()
    };
    match ask {
        Ask::Call { caller, other } => Act::PublishNotice {
            caller: org(caller),
            participant: org(other),
        },
        Ask::Change(at) => Act::ChangeNotice { caller: org(at) },
        Ask::Answer { at, convened } => Act::Respond {
            organisation: org(at),
            convened,
        },
        Ask::AnswerFor {
            at,
            other,
            convened,
        } => Act::RespondOnBehalf(OnBehalf {
            organisation: org(at),
            member: person(other),
            convened,
        }),
        Ask::Excuse {
            at,
            deciding,
            other,
        } => Act::DecideAbsence {
            organisation: org(at),
            deciding: org(deciding),
            member: person(other),
        },
        Ask::Delegate(at) => Act::DelegateChair {
            organisation: org(at),
        },
        Ask::Mark {
            at,
            other,
            chair: seat,
        } => Act::MarkAttendance(Marking {
            organisation: org(at),
            member: person(other),
            mark: AttendanceMark::Present,
            seat: chair(seat),
        }),
        Ask::Confirm { at, seated } => Act::ConfirmRollCall {
            organisation: org(at),
            seat: chair(seated),
        },
        Ask::Correct { at, seated } => Act::CorrectRollCall {
            organisation: org(at),
            seat: chair(seated),
        },
        Ask::Object(at) => Act::ObjectToMark {
            organisation: org(at),
        },
        Ask::Publish(at) => Act::PublishDocument {
            organisation: org(at),
        },
        Ask::SayItIsWrong => Act::RequestCorrection,
        Ask::Invite(other) => Act::Invite {
            member: person(other),
        },
        Ask::ConfirmPhone(other) => Act::ConfirmEnrolment {
            member: person(other),
        },
        Ask::ListPhones(other) => Act::ListPhones {
            member: person(other),
        },
        Ask::RevokePhone(other) => Act::RevokePhone {
            member: person(other),
        },
        Ask::Grant { at, role } => Act::GrantRole {
            organisation: org(at),
            role,
        },
        Ask::Export(other) => Act::ExportProfile {
            member: person(other),
        },
    }
}

/// Whether only the server is asked, which sees all records.
const fn on_server_only(ask: Ask) -> bool {
    matches!(
        ask,
        Ask::Invite(_)
            | Ask::ConfirmPhone(_)
            | Ask::ListPhones(_)
            | Ask::RevokePhone(_)
            | Ask::Grant { .. }
            | Ask::Export(_)
    )
}

/// Noon of a day.
fn noon(day: u32) -> Timestamp {
    let first = date("2027-01-01").start();
    first.plus_minutes(i64::from(day) * 24 * 60 + 12 * 60)
}

fn on(day: u32) -> CalendarDate {
    noon(day).date()
}

/// The real records and the second evaluator, side by side.
#[derive(Default)]
struct Both {
    store: Store,
    register: Register,
    next: u32,
}

impl Both {
    fn new() -> Self {
        let mut both = Self::default();
        for organisation in 1..=ORGANISATIONS {
            let above = (organisation > 1).then_some(organisation / 2);
            both.happen(&Event::Found {
                organisation,
                above,
            });
        }
        for member in 1..=MEMBERS {
            both.happen(&Event::Enter {
                member,
                home: ORGANISATIONS + 1 - member,
                status: MemberStatus::Official,
            });
        }
        both
    }

    /// Whether the register could enter it.
    fn enter(&mut self, intent: impl Into<Intent>) -> bool {
        let now = noon(self.register.today);
        let mutation = Mutation {
            made_at: now,
            needs: Vec::new(),
            intent: intent.into(),
        };
        let decided = self
            .store
            .decide(Actor::Operator, Now::server(now), &mutation, None);
        match decided {
            Outcome::Done(effect) => {
                self.store.write(&effect);
                true
            }
            _ => false,
        }
    }

    fn happen(&mut self, event: &Event) {
        let today = self.register.today;
        match *event {
            Event::Found {
                organisation,
                above,
            } => {
                let founded = FoundOrganisation {
                    id: org(organisation),
                    above: above.map(org),
                    level: level(organisation),
                    name: "Tổ chức thử".to_owned(),
                    policy: Policy::default(),
                };
                if self.enter(founded) {
                    let organisations = &mut self.register.organisations;
                    organisations.retain(|(other, ..)| *other != organisation);
                    organisations.push((organisation, above, is_cell(level(organisation))));
                }
            }
            Event::Enter {
                member,
                home,
                status,
            } if member != NOBODY => {
                if self.enter(entry(member, home, status)) {
                    let members = &mut self.register.members;
                    members.retain(|(other, ..)| *other != member);
                    members.push((member, home, status));
                }
            }
            Event::Enter { .. } => {}
            Event::Appoint {
                member,
                organisation,
                role,
                ahead,
                days,
            } => {
                let (from, until) = (today + ahead, days.map(|days| today + ahead + days));
                let office = Appoint {
                    id: id(10_000 + self.next),
                    member: person(member),
                    organisation: org(organisation),
                    role,
                    phone: None,
                    from: on(from),
                    until: until.map(on),
                };
                if self.enter(office) {
                    self.register.offices.push(Office {
                        member,
                        organisation,
                        role,
                        from,
                        until,
                    });
                    self.next += 1;
                }
            }
            Event::End { which, ahead } => {
                let offices = &self.register.offices;
                if offices.is_empty() {
                    return;
                }
                let index = which % offices.len();
                let end = EndAppointment {
                    member: person(offices[index].member),
                    id: id(10_000 + u32::try_from(index).unwrap()),
                    until: on(today + ahead),
                };
                if self.enter(end) {
                    self.register.offices[index].until = Some(today + ahead);
                }
            }
            Event::Introduce {
                member,
                host,
                ahead,
                days,
            } => {
                let (from, until) = (today + ahead, today + ahead + days);
                let number = u32::try_from(self.register.visits.len()).unwrap();
                let introduction = IntroduceTemporarily {
                    id: id(20_000 + number),
                    member: person(member),
                    host: org(host),
                    from: on(from),
                    until: on(until),
                };
                if self.enter(introduction) {
                    self.register.visits.push(Visit {
                        member,
                        host,
                        from,
                        until,
                    });
                }
            }
            Event::Pass { days } => self.register.today += days,
        }
    }

    fn now(&self) -> Now {
        Now::server(noon(self.register.today))
    }

    /// Every scope that the page lets a member read today.
    fn expected_scopes(&self, member: u32) -> Vec<Scope> {
        let mut scopes = vec![Scope::person(person(member))];
        for organisation in 1..=ORGANISATIONS {
            if self.register.reads_organisation(member, organisation) {
                scopes.push(Scope::organisation(org(organisation)));
            }
            if self.register.reads_office(member, organisation) {
                scopes.push(Scope::office(org(organisation)));
            }
        }
        scopes.sort_unstable();
        scopes
    }

    fn permitted(&self, who: u32, act: &Act, scopes: Option<&[Scope]>) -> bool {
        permitted(&self.store, who, act, self.now(), scopes)
    }

    /// Compares everything about everybody today.
    fn compare(&self, asks: &[Ask]) -> Result<(), TestCaseError> {
        let day = on(self.register.today);
        for who in (1..=MEMBERS).chain([NOBODY]) {
            let held = self.store.scopes(person(who), day);
            prop_assert_eq!(
                &held,
                &self.expected_scopes(who),
                "member {} on {}",
                who,
                day
            );
            for organisation in 1..=ORGANISATIONS {
                for scope in [
                    Scope::organisation(org(organisation)),
                    Scope::office(org(organisation)),
                ] {
                    let permitted = self.permitted(who, &Act::Read { scope }, None);
                    prop_assert_eq!(permitted, held.contains(&scope), "{} reads {}", who, scope);
                }
            }
            for ask in asks {
                let expected = self.register.may(who, *ask);
                let permitted = self.permitted(who, &act(*ask), None);
                prop_assert_eq!(permitted, expected, "member {} on {}: {:?}", who, day, ask);
                if !on_server_only(*ask) {
                    let on_phone = self.permitted(who, &act(*ask), Some(&held));
                    prop_assert_eq!(on_phone, expected, "on the phone of {}: {:?}", who, ask);
                }
            }
        }
        Ok(())
    }
}

/// Asks over all records, or over those that some scopes show.
fn permitted(store: &Store, who: u32, act: &Act, now: Now, scopes: Option<&[Scope]>) -> bool {
    let mut world = World::new();
    for _ in 0..200 {
        let reader = Reader::new(&world);
        match permit(&reader, Actor::Member(person(who)), now, act) {
            Ok(()) => return true,
            Err(Stop::Rejected(_)) => return false,
            Err(Stop::Unloaded) => {
                for need in reader.into_needs() {
                    store.load(&mut world, &need, scopes);
                }
            }
        }
    }
    panic!("never decided: {act:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn authz_in_every_history_rules_and_page_agree_on_every_day(
        days in proptest::collection::vec(
            (proptest::collection::vec(event(), 1..12), proptest::collection::vec(ask(), 4..16)),
            1..10,
        )
    ) {
        let mut both = Both::new();
        for (events, asks) in &days {
            for event in events {
                both.happen(event);
            }
            both.compare(asks)?;
            both.happen(&Event::Pass { days: 1 });
        }
    }
}

#[test]
fn authz_an_office_ends_with_the_last_second_of_its_last_day_in_vietnam() {
    let mut both = Both::new();
    let office = Event::Appoint {
        member: 1,
        organisation: 8,
        role: Role::Secretary,
        ahead: 1,
        days: Some(1),
    };
    both.happen(&office);
    let first = on(1).start();
    let behind_last = on(3).start();
    for (at, holds) in [
        (Timestamp(first.0 - 1), false),
        (first, true),
        (Timestamp(behind_last.0 - 1), true),
        (behind_last, false),
    ] {
        let organisation = org(8);
        let now = Now::server(at);
        for act in [
            Act::ChangeNotice {
                caller: organisation,
            },
            Act::Read {
                scope: Scope::office(organisation),
            },
            Act::GrantRole {
                organisation,
                role: Role::Assistant,
            },
        ] {
            assert_eq!(permitted(&both.store, 1, &act, now, None), holds, "{act:?}");
        }
        let held = both.store.scopes(person(1), at.date());
        assert_eq!(held.contains(&Scope::office(organisation)), holds);
    }
}

#[test]
fn authz_somebody_unknown_may_nothing() {
    let both = Both::new();
    for scope in [Scope::organisation(org(1)), Scope::person(person(1))] {
        assert!(!both.permitted(NOBODY, &Act::Read { scope }, None));
    }
    let about = person(1);
    for act in [
        Act::EnterMember,
        Act::RequestCorrection,
        Act::PublishDocument {
            organisation: org(1),
        },
        Act::Invite { member: about },
        Act::RevokePhone { member: about },
        Act::ListPhones {
            member: person(NOBODY),
        },
        Act::ExportProfile {
            member: person(NOBODY),
        },
    ] {
        assert!(!both.permitted(NOBODY, &act, None), "{act:?}");
    }
}
