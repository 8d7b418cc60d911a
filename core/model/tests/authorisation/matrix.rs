//! Every act × office × organisation × term × home × status, tried on the real rules and compared with the page.

use std::collections::BTreeSet;

use sotay_model::organisation::{Act, permit, scopes_of};
use sotay_model::rejection::{Closing, Rejection};
use sotay_model::world::{Need, Reader, Stop};
use sotay_model::{Actor, Intent, Kind, MemberId, Now, Outcome, Scope, World, apply, blob};

use super::common::{Store, person};
use super::ground::{ACTOR, Person, Tree, belongings, ground, now, persons, place, today};
use super::page::Page;
use super::trials::{self, Trial, Want};

/// One person at work. The loaded part of the records stays from person to person, but for what speaks of the actor.
struct AtWork {
    store: Store,
    world: World,
    actor: Actor,
    asked_again: BTreeSet<Need>,
}

impl AtWork {
    fn new(store: Store) -> Self {
        Self {
            store,
            world: World::new(),
            actor: Actor::Operator,
            asked_again: BTreeSet::new(),
        }
    }

    /// Another person takes the actor's place.
    fn become_person(&mut self, who: &Person) {
        place(&mut self.store, who);
        self.actor = match who.office {
            "operator" => Actor::Operator,
            _ => Actor::Member(person(ACTOR)),
        };
        for need in &self.asked_again {
            self.store.load(&mut self.world, need, None);
        }
    }

    fn load(&mut self, needs: &[Need]) {
        assert!(!needs.is_empty(), "a need that asks for nothing");
        for need in needs {
            assert!(!self.world.knows(need), "asked again for {need:?}");
            self.store.load(&mut self.world, need, None);
            let of_the_actor = match need {
                Need::Record(key) => key.home == Scope::person(person(ACTOR)),
                Need::Children(children) => matches!(
                    children.kind,
                    Kind::Member | Kind::TemporaryActivity | Kind::Appointment
                ),
            };
            if of_the_actor {
                self.asked_again.insert(need.clone());
            }
        }
    }

    fn scopes(&mut self, member: MemberId) -> Vec<Scope> {
        loop {
            let reader = Reader::new(&self.world);
            match scopes_of(&reader, member, today()) {
                Ok(scopes) => return scopes,
                Err(stop) => {
                    assert_eq!(stop, Stop::Unloaded);
                    let needs = reader.into_needs();
                    self.load(&needs);
                }
            }
        }
    }

    /// Whether it is allowed. Refused for anything but the person, the trial is no trial.
    fn may(&mut self, trial: &Trial) -> bool {
        match &trial.want {
            Want::Do(mutation) => loop {
                match apply(&self.world, self.actor, Now::server(now()), mutation) {
                    Outcome::Need(needs) => self.load(&needs),
                    Outcome::Done(effect) => {
                        assert!(!effect.puts.is_empty(), "it changed nothing: {trial:?}");
                        break true;
                    }
                    Outcome::Rejected(why) => {
                        assert!(
                            is_denial(&why),
                            "refused, but not for the person: {why}: {trial:?}"
                        );
                        break false;
                    }
                    Outcome::NotYet => panic!("not known: {trial:?}"),
                }
            },
            Want::Ask(act) => self.permitted(act),
            Want::Read(scope) => {
                let permitted = self.permitted(&Act::Read { scope: *scope });
                if let Actor::Member(member) = self.actor {
                    let held = self.scopes(member);
                    assert_eq!(held.contains(scope), permitted, "two answers about {scope}");
                }
                permitted
            }
            Want::HandOver(home) => loop {
                let now = Now::server(now());
                match blob::may_hand_over(&self.world, self.actor, now, *home) {
                    Ok(allowed) => break allowed,
                    Err(needs) => self.load(&needs),
                }
            },
        }
    }

    fn permitted(&mut self, act: &Act) -> bool {
        loop {
            let reader = Reader::new(&self.world);
            match permit(&reader, self.actor, Now::server(now()), act) {
                Ok(()) => return true,
                Err(Stop::Rejected(why)) => {
                    assert!(
                        is_denial(&why),
                        "refused, but not for the person: {why}: {act:?}"
                    );
                    return false;
                }
                Err(Stop::Unloaded) => {
                    let needs = reader.into_needs();
                    self.load(&needs);
                }
            }
        }
    }
}

/// Whether a refusal says "not you", or "there is no such thing" to somebody who is not shown it.
const fn is_denial(why: &Rejection) -> bool {
    matches!(
        why,
        Rejection::NotAllowed { .. }
            | Rejection::NotFound { .. }
            | Rejection::Closed {
                what: Closing::Membership,
                ..
            }
    )
}

/// Tries everything that one person can try; what differs from the page.
fn compare(
    page: &Page,
    trials: &[Trial],
    at_work: &mut AtWork,
    tree: Tree,
    who: &Person,
    wrong: &mut Vec<String>,
) -> usize {
    let operator = who.office == "operator";
    at_work.become_person(who);
    let mut tried = 0;
    // The operator has no phone of the own.
    for trial in trials
        .iter()
        .filter(|trial| !(operator && trial.case == "own"))
    {
        let case = [
            who.office,
            who.relation,
            who.term,
            who.belongs,
            who.status,
            trial.case,
        ];
        let (said, done) = (page.allows(trial.act, case), at_work.may(trial));
        if said != done {
            let verb = if done { "was allowed" } else { "was refused" };
            wrong.push(format!("{tree:?}: {} {verb}: {case:?}", trial.act));
        }
        tried += 1;
    }
    tried
}

/// What a comparison came to.
#[derive(Default)]
struct Compared {
    tried: usize,
    /// Where rules and page differ.
    wrong: Vec<String>,
    /// What the page says and no case met.
    unmet: BTreeSet<String>,
}

/// All persons of one tree, and the operator.
fn try_all(tree: Tree) -> Compared {
    let (page, trials) = (Page::read(), trials::all());
    let mut at_work = AtWork::new(ground(tree));
    let mut compared = Compared::default();
    let operator = Person {
        office: "operator",
        relation: "own",
        term: "in force",
        belongs: "outside",
        status: "official",
    };
    let persons = belongings()
        .into_iter()
        .flat_map(|belonging| persons(tree, belonging));
    for who in persons.chain([operator]) {
        compared.tried += compare(
            &page,
            &trials,
            &mut at_work,
            tree,
            &who,
            &mut compared.wrong,
        );
    }
    compared.unmet = page.unmet();
    compared
}

#[test]
fn authz_everything_that_the_page_does_not_allow_is_refused_and_all_that_it_allows_succeeds() {
    let (of_cell, of_committee) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| try_all(Tree::Committee));
        (try_all(Tree::Cell), beside.join().unwrap())
    });
    let wrong = [of_cell.wrong, of_committee.wrong].concat();
    assert!(
        wrong.is_empty(),
        "{} of {} differ from docs/authorisation.md:\n{}",
        wrong.len(),
        of_cell.tried + of_committee.tried,
        wrong[..wrong.len().min(40)].join("\n")
    );
    let unmet: Vec<_> = of_cell.unmet.intersection(&of_committee.unmet).collect();
    assert!(
        unmet.is_empty(),
        "said on the page, and never met: {unmet:#?}"
    );
}

#[test]
fn authz_every_kind_of_mutation_and_every_other_act_has_a_section_and_is_tried() {
    let page = Page::read();
    let trials = trials::all();
    let tried: BTreeSet<&str> = trials.iter().map(|trial| trial.act).collect();
    for kind in Intent::NAMES {
        assert!(tried.contains(kind), "nobody tries {kind}");
    }
    assert_eq!(page.acts(), tried);
}
