//! The tree of organisations, members, offices, and the scopes that follow from them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use sotay_model::id::Scope;
use sotay_model::organisation::{
    Appointment, EndAppointment, FoundOrganisation, IntroduceTemporarily, Member, MemberStatus,
    Organisation, OrganisationLevel, Policy, Role,
};
use sotay_model::profile::{CorrectionRequest, Profile, ProfileField, RequestCorrection};
use sotay_model::rejection::{Closing, Denial, Fault, Field, Rejection, SecrecyMarking, Subject};
use sotay_model::{Actor, Effect, RecordKey};

fn scopes(commune: &Commune, member: u32) -> Vec<Scope> {
    commune.store.scopes(person(member), commune.now.at.date())
}

fn sorted(mut scopes: Vec<Scope>) -> Vec<Scope> {
    scopes.sort_unstable();
    scopes
}

fn organisation(n: u32, above: Option<u32>) -> FoundOrganisation {
    FoundOrganisation {
        id: org(n),
        above: above.map(org),
        level: OrganisationLevel::PartyCell,
        name: "Chi bộ thử".to_owned(),
        policy: Policy::default(),
    }
}

#[test]
fn a_member_holds_the_own_person_the_cell_and_all_above() {
    let commune = Commune::new();
    let expected = vec![
        Scope::person(person(ANN)),
        Scope::organisation(org(CELL)),
        Scope::organisation(org(COMMITTEE)),
    ];
    assert_eq!(scopes(&commune, ANN), sorted(expected));
}

#[test]
fn a_secretary_also_holds_the_office_and_an_assistant_does_not() {
    let commune = Commune::new();
    assert!(scopes(&commune, SECRETARY).contains(&Scope::office(org(CELL))));
    assert!(scopes(&commune, DEPUTY).contains(&Scope::office(org(CELL))));
    assert!(!scopes(&commune, ASSISTANT).contains(&Scope::office(org(CELL))));
}

#[test]
fn a_committee_member_holds_the_office_of_a_committee_but_not_of_a_cell() {
    let mut commune = Commune::new();
    assert!(scopes(&commune, COMMITTEE_MEMBER).contains(&Scope::office(org(COMMITTEE))));
    commune.appoint(BINH, CELL, Role::CommitteeMember);
    assert!(!scopes(&commune, BINH).contains(&Scope::office(org(CELL))));
}

#[test]
fn a_follower_holds_the_cell_followed() {
    let mut commune = Commune::new();
    commune.appoint(COMMITTEE_MEMBER, CELL, Role::CellFollower);
    let held = scopes(&commune, COMMITTEE_MEMBER);
    assert!(held.contains(&Scope::organisation(org(CELL))));
    assert!(!held.contains(&Scope::office(org(CELL))));
}

#[test]
fn a_visitor_holds_the_host() {
    let commune = Commune::new();
    assert!(scopes(&commune, VISITOR).contains(&Scope::organisation(org(CELL))));
    assert!(!scopes(&commune, STRANGER).contains(&Scope::organisation(org(CELL))));
}

#[test]
fn candidates_and_former_members_hold_only_their_own_person() {
    let mut commune = Commune::new();
    assert_eq!(
        scopes(&commune, CANDIDATE),
        vec![Scope::person(person(CANDIDATE))]
    );
    assert_eq!(
        scopes(&commune, EXPELLED),
        vec![Scope::person(person(EXPELLED))]
    );
    commune.enter(SECRETARY, CELL, MemberStatus::Transferred);
    assert_eq!(
        scopes(&commune, SECRETARY),
        vec![Scope::person(person(SECRETARY))]
    );
    assert_eq!(
        commune.refused(SECRETARY, publish()),
        Rejection::Closed {
            what: Closing::Membership,
            since: None
        }
    );
}

#[test]
fn an_office_that_ended_opens_nothing() {
    let mut commune = Commune::new();
    let held = appointment(SECRETARY, CELL, Role::Secretary);
    commune.operate(EndAppointment {
        member: person(SECRETARY),
        id: held.id,
        until: date("2026-12-31"),
    });
    assert!(!scopes(&commune, SECRETARY).contains(&Scope::office(org(CELL))));
    assert_eq!(
        commune.refused(SECRETARY, publish()),
        Rejection::NotAllowed {
            why: Denial::OfficeNeeded
        }
    );
}

#[test]
fn a_tree_may_have_many_levels_and_shows_all_of_them_to_those_below() {
    let mut commune = Commune::new();
    for n in 10..40 {
        let above = if n == 10 { COMMITTEE } else { n - 1 };
        commune.found(n, Some(above), OrganisationLevel::SectionCommittee);
    }
    commune.enter(300, 39, MemberStatus::Official);
    assert_eq!(scopes(&commune, 300).len(), 1 + 30 + 1);
}

#[test]
fn a_tree_never_runs_in_a_circle() {
    let mut commune = Commune::new();
    let circle = Rejection::Invalid {
        field: Field::Parent,
        why: Fault::Loop,
    };
    assert_eq!(
        commune.refused_to(Actor::Operator, organisation(50, Some(50))),
        circle
    );
    let above_itself = FoundOrganisation {
        level: OrganisationLevel::CommuneCommittee,
        ..organisation(COMMITTEE, Some(CELL))
    };
    assert_eq!(commune.refused_to(Actor::Operator, above_itself), circle);
}

#[test]
fn an_organisation_needs_a_parent_that_exists_and_a_name() {
    let mut commune = Commune::new();
    assert_eq!(
        commune.refused_to(Actor::Operator, organisation(50, Some(51))),
        Rejection::NotFound {
            what: Subject::Organisation
        }
    );
    let nameless = FoundOrganisation {
        name: " ".to_owned(),
        ..organisation(50, None)
    };
    assert_eq!(
        commune.refused_to(Actor::Operator, nameless),
        Rejection::Invalid {
            field: Field::Name,
            why: Fault::Empty
        }
    );
}

#[test]
fn an_organisation_is_shown_to_itself_and_the_office_above() {
    let commune = Commune::new();
    assert_eq!(
        commune.store.audience(Organisation::key(org(CELL))),
        sorted(vec![
            Scope::organisation(org(CELL)),
            Scope::office(org(COMMITTEE))
        ])
    );
}

#[test]
fn only_the_operator_enters_what_the_register_says() {
    let mut commune = Commune::new();
    let needed = Rejection::NotAllowed {
        why: Denial::OperatorNeeded,
    };
    assert_eq!(commune.refused(SECRETARY, organisation(50, None)), needed);
    assert_eq!(
        commune.refused(SECRETARY, entry(300, CELL, MemberStatus::Official)),
        needed
    );
    assert_eq!(
        commune.refused(OFFICER, appointment(OFFICER, CELL, Role::Secretary)),
        needed
    );
}

#[test]
fn entering_the_same_list_twice_changes_nothing() {
    let mut commune = Commune::new();
    assert_eq!(
        commune.operate(entry(ANN, CELL, MemberStatus::Official)),
        Effect::default()
    );
    assert_eq!(
        commune.operate(appointment(SECRETARY, CELL, Role::Secretary)),
        Effect::default()
    );
}

#[test]
fn a_member_who_moves_is_shown_to_the_new_cell_only() {
    let mut commune = Commune::new();
    commune.enter(ANN, OTHER_CELL, MemberStatus::Official);
    assert_eq!(
        commune.store.audience(Member::key(person(ANN))),
        sorted(vec![
            Scope::organisation(org(OTHER_CELL)),
            Scope::person(person(ANN))
        ])
    );
}

#[test]
fn a_profile_is_shown_to_its_member_alone() {
    let commune = Commune::new();
    assert_eq!(
        commune.store.audience(Profile::key(person(ANN))),
        vec![Scope::person(person(ANN))]
    );
}

#[test]
fn statuses_that_follow_from_other_records_are_not_entered() {
    let mut commune = Commune::new();
    for status in [
        MemberStatus::TemporaryIn,
        MemberStatus::TemporaryOut,
        MemberStatus::Guest,
        MemberStatus::Unknown { code: 99 },
    ] {
        assert_eq!(
            commune.refused_to(Actor::Operator, entry(300, CELL, status)),
            Rejection::Invalid {
                field: Field::Status,
                why: Fault::UnknownValue
            }
        );
    }
}

#[test]
fn offices_are_for_official_members_and_periods_run_forward() {
    let mut commune = Commune::new();
    assert_eq!(
        commune.refused_to(
            Actor::Operator,
            appointment(ASSISTANT, CELL, Role::Secretary)
        ),
        Rejection::NotAllowed {
            why: Denial::OfficialMemberNeeded
        }
    );
    assert_eq!(
        commune.refused_to(
            Actor::Operator,
            appointment(EXPELLED, CELL, Role::Assistant)
        ),
        Rejection::Closed {
            what: Closing::Membership,
            since: None
        }
    );
    let mut backwards = appointment(ANN, CELL, Role::DeputySecretary);
    backwards.until = Some(date("2024-12-31"));
    assert_eq!(
        commune.refused_to(Actor::Operator, backwards),
        Rejection::Invalid {
            field: Field::Period,
            why: Fault::EndBeforeStart
        }
    );
}

#[test]
fn an_appointment_is_shown_to_the_organisation_and_the_person() {
    let commune = Commune::new();
    let held = appointment(OFFICER, COMMITTEE, Role::Secretary);
    let key = RecordKey::new(Scope::person(person(OFFICER)), held.id);
    assert_eq!(
        commune.store.audience(key),
        sorted(vec![
            Scope::organisation(org(COMMITTEE)),
            Scope::person(person(OFFICER))
        ])
    );
    let name = commune.store.body::<Appointment>(key).unwrap().name;
    assert_eq!(name, format!("Đồng chí Mẫu {OFFICER}"));
}

#[test]
fn a_member_takes_part_in_one_other_cell_at_a_time_and_under_two_years() {
    let mut commune = Commune::new();
    commune.found(4, Some(COMMITTEE), OrganisationLevel::PartyCell);
    let introduction = IntroduceTemporarily {
        id: id(9_000),
        member: person(AWAY),
        host: org(4),
        from: date("2027-06-30"),
        until: date("2027-12-31"),
    };
    assert_eq!(
        commune.refused_to(Actor::Operator, introduction.clone()),
        Rejection::Invalid {
            field: Field::Period,
            why: Fault::Repeated
        }
    );
    let long = IntroduceTemporarily {
        until: date("2029-07-01"),
        ..introduction.clone()
    };
    assert_eq!(
        commune.refused_to(Actor::Operator, long),
        Rejection::Invalid {
            field: Field::Period,
            why: Fault::Malformed
        }
    );
    let at_home = IntroduceTemporarily {
        host: org(CELL),
        ..introduction.clone()
    };
    assert_eq!(
        commune.refused_to(Actor::Operator, at_home),
        Rejection::Invalid {
            field: Field::Participants,
            why: Fault::Repeated
        }
    );
    commune.operate(IntroduceTemporarily {
        from: date("2027-07-01"),
        ..introduction
    });
}

#[test]
fn a_correction_goes_to_the_member_and_the_office_of_the_cell() {
    let mut commune = Commune::new();
    let request = RequestCorrection {
        id: id(9_100),
        field: ProfileField::Born,
        text: "Tôi sinh năm 1951".to_owned(),
    };
    commune.done(ANN, request.clone());
    let key = RecordKey::new(Scope::person(person(ANN)), id(9_100));
    assert_eq!(
        commune.store.audience(key),
        sorted(vec![Scope::person(person(ANN)), Scope::office(org(CELL))])
    );
    assert_eq!(commune.store.all::<CorrectionRequest>().len(), 1);
    assert_eq!(
        commune.refused(ANN, request.clone()),
        Rejection::AlreadyExists
    );
    let secret = RequestCorrection {
        id: id(9_101),
        text: "TỐI MẬT".to_owned(),
        ..request
    };
    assert_eq!(
        commune.refused(ANN, secret),
        Rejection::Secret {
            field: Field::Text,
            level: SecrecyMarking::TopSecret
        }
    );
}
