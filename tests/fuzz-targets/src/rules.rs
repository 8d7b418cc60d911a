//! A phone's mutation, on the server: read, decided on, carried out.

use std::sync::OnceLock;

use sotay_model::record::MAX_BODY_BYTES;
use sotay_model::time::Now;
use sotay_model::{Actor, MemberId, Mutation, Outcome, Put, Scope, cbor};

use crate::commune::{self, Commune};
use crate::messages::stable;

/// A commune at one moment, with the members who try what.
struct Ground {
    commune: Commune,
    actors: Vec<(Actor, Option<Vec<Scope>>)>,
}

/// A commune before, at and after a meeting.
fn grounds() -> &'static [Ground] {
    static GROUNDS: OnceLock<Vec<Ground>> = OnceLock::new();
    GROUNDS.get_or_init(|| {
        let communes = [
            Commune::new(),
            Commune::with_notice(),
            Commune::with_roll_call(),
            Commune::all_marked(),
            Commune::confirmed(),
        ];
        communes.into_iter().map(Ground::new).collect()
    })
}

impl Ground {
    fn new(commune: Commune) -> Self {
        let members = [
            commune::SECRETARY,
            commune::DEPUTY,
            commune::ANN,
            commune::BINH,
            commune::ASSISTANT,
            commune::VISITOR,
            commune::OFFICER,
            commune::STRANGER,
            commune::EXPELLED,
        ];
        let day = commune.now.at.date();
        let of = |member: MemberId| {
            let scopes = commune.store.scopes(member, day);
            (Actor::Member(member), Some(scopes))
        };
        let mut actors: Vec<_> = members.map(commune::person).map(of).to_vec();
        actors.push((Actor::Operator, None));
        Self { commune, actors }
    }
}

/// A mutation: the first byte says when and who, the rest is what arrives.
pub fn mutation(input: &[u8]) {
    let Some((when_and_who, bytes)) = input.split_first() else {
        return;
    };
    let Some(mutation) = stable::<Mutation>(bytes) else {
        return;
    };
    let grounds = grounds();
    let ground = &grounds[usize::from(when_and_who % 5)];
    let (actor, scopes) = &ground.actors[usize::from(when_and_who / 5) % ground.actors.len()];
    let now = ground.commune.now;
    let outcome = ground.commune.store.decide(*actor, now, &mutation, None);
    if let Some(scopes) = scopes {
        // What a phone that holds only its own scopes decides is what the server decides.
        let on_phone = ground
            .commune
            .store
            .decide(*actor, now, &mutation, Some(scopes));
        assert_eq!(
            on_phone, outcome,
            "the actor's own records decide otherwise"
        );
        // By its own clock it may only be undecided about time, never break.
        let by_phone = Now::phone(now.at);
        ground
            .commune
            .store
            .decide(*actor, by_phone, &mutation, Some(scopes));
    }
    match outcome {
        Outcome::Done(effect) => {
            let mut keys: Vec<_> = effect.puts.iter().map(|put| put.key).collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), effect.puts.len(), "a record is written twice");
            effect.puts.iter().for_each(check);
        }
        Outcome::Rejected(rejection) => {
            assert!(stable::<sotay_model::Rejection>(&cbor::to_bytes(&rejection)).is_some());
        }
        Outcome::NotYet => {}
        Outcome::Need(needs) => panic!("undecided: {needs:?}"),
    }
}

/// What every record that is written must be.
fn check(put: &Put) {
    assert!(!put.audience.is_empty(), "shown to nobody");
    assert!(put.audience.is_sorted_by(|one, next| one < next));
    assert!(put.body.len() <= MAX_BODY_BYTES as usize);
    let kind = sotay_model::Kind::ALL
        .iter()
        .position(|kind| *kind == put.kind)
        .expect("a known kind");
    let mut as_read = vec![u8::try_from(kind).expect("few kinds")];
    as_read.extend_from_slice(&put.body);
    crate::records::record(&as_read);
}
