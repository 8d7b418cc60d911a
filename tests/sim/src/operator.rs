//! What the operator enters: members move between cells, offices begin and end, somebody is active elsewhere for a while.

use sotay_model::organisation::{
    Appoint, EndAppointment, FoundOrganisation, IntroduceTemporarily, OrganisationLevel, Policy,
    Role,
};
use sotay_model::{Id, Intent, OrganisationId, Timestamp};

use crate::dice::Dice;
use crate::ground::{Ground, entry, id};
use crate::violation::Checked;

/// Draws one act, of one or more intents.
pub fn draw(dice: &mut Dice, ground: &Ground, now: Timestamp) -> Checked<Vec<Intent>> {
    let number = dice.index(ground.members.len());
    let (member, _) = ground.members[number];
    let cell = *dice.pick(&ground.cells).ok_or("there are no cells")?;
    let day = now.date();
    let later = now
        .plus_minutes(24 * 60 * (1 + dice.below(4).cast_signed()))
        .date();
    Ok(match dice.below(9) {
        // A transfer: the member's line, offices apart, goes from one cell's feed into another's.
        0..=3 => vec![entry(member, number, cell).into()],
        4 | 5 => {
            let above = dice.percent(30);
            let organisation = if above {
                ground.above[dice.index(2)]
            } else {
                cell
            };
            let role = [Role::Secretary, Role::DeputySecretary, Role::Assistant][dice.index(3)];
            vec![
                Appoint {
                    id: Id::v7(0, dice.ten()),
                    member,
                    organisation,
                    role,
                    phone: None,
                    from: day,
                    until: dice.percent(50).then_some(later),
                }
                .into(),
            ]
        }
        6 => {
            let number = dice.index(5);
            vec![
                EndAppointment {
                    member: ground.members[[0, 3, 1, 2, 4][number]].0,
                    id: id(3, number as u8),
                    until: day,
                }
                .into(),
            ]
        }
        7 => vec![
            IntroduceTemporarily {
                id: Id::v7(0, dice.ten()),
                member,
                host: cell,
                from: day,
                until: later,
            }
            .into(),
        ],
        _ => {
            let new = OrganisationId(Id::v7(0, dice.ten()));
            vec![
                FoundOrganisation {
                    id: new,
                    above: Some(ground.above[dice.index(2)]),
                    level: OrganisationLevel::PartyCell,
                    name: "Chi bộ Mẫu mới".into(),
                    policy: Policy::default(),
                }
                .into(),
                entry(member, number, new).into(),
            ]
        }
    })
}
