//! The TOML file that `init` reads: hosts, organisations in a tree of any depth, offices.

use std::collections::BTreeMap;

use serde::Deserialize;
use sotay_model::organisation::{OrganisationLevel, Policy, Role};
use sotay_model::{CalendarDate, OrganisationId};

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// It is not TOML of this form; the parser says where.
    #[error("{0}")]
    Form(String),
    /// Phones need at least one name to reach the server by.
    #[error("`hosts` is empty")]
    NoHosts,
    /// The tree has no beginning.
    #[error("no organisation is without `above`: one must be the root")]
    NoRoot,
    /// Two organisations with the same code.
    #[error("the code {code:?} stands twice")]
    CodeTwice {
        /// The code.
        code: String,
    },
    /// A code that no organisation has.
    #[error("{wherein}: there is no organisation {code:?}")]
    UnknownOrganisation {
        /// Where it is named.
        wherein: String,
        /// The code.
        code: String,
    },
    /// Organisations above each other.
    #[error("{code:?} is above itself")]
    Loop {
        /// One of them.
        code: String,
    },
    /// A word from a list that is not in the list.
    #[error("{wherein}: {word:?} is none of {known}")]
    UnknownWord {
        /// Where it stands.
        wherein: String,
        /// The word.
        word: String,
        /// The list.
        known: String,
    },
    /// Not a day.
    #[error("{wherein}: {text:?} is not a day like 2025-07-01")]
    Day {
        /// Where it stands.
        wherein: String,
        /// What stands there.
        text: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    hosts: Vec<String>,
    organisation: Vec<OrganisationEntry>,
    #[serde(default)]
    office: Vec<OfficeEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganisationEntry {
    code: String,
    name: String,
    level: String,
    above: Option<String>,
    #[serde(default)]
    policy: PolicyEntry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyEntry {
    answer_minutes_before: Option<u32>,
    absence_minutes_before: Option<u32>,
    objection_days: Option<u32>,
    excused_leave_rate_base: Option<bool>,
    temporary_in_counts: Option<bool>,
    good_attendance_percent: Option<u32>,
    notice_minutes_ahead: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficeEntry {
    member: String,
    organisation: String,
    role: String,
    from: String,
    until: Option<String>,
    phone: Option<String>,
}

/// An organisation to found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOrganisation {
    /// The operator's own code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is called.
    pub level: OrganisationLevel,
    /// The code of the one above.
    pub above: Option<String>,
    /// What it decided.
    pub policy: Policy,
}

/// An office to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOffice {
    /// The member's code in the list.
    pub member: String,
    /// The organisation's code.
    pub organisation: String,
    /// What.
    pub role: Role,
    /// First day.
    pub from: CalendarDate,
    /// Last day.
    pub until: Option<CalendarDate>,
    /// The number to call.
    pub phone: Option<String>,
}

/// The file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Names and addresses that stand in the server's certificate.
    pub hosts: Vec<String>,
    /// Each after the one above it.
    pub organisations: Vec<PlannedOrganisation>,
    /// The offices.
    pub offices: Vec<PlannedOffice>,
}

impl Config {
    /// Reads and checks the file.
    pub fn parse(text: &str) -> Result<Self, ConfigFault> {
        let file: File =
            toml::from_str(text).map_err(|error| ConfigFault::Form(error.to_string()))?;
        if file.hosts.is_empty() {
            return Err(ConfigFault::NoHosts);
        }
        let organisations = file
            .organisation
            .into_iter()
            .map(organisation)
            .collect::<Result<Vec<_>, _>>()?;
        let organisations = from_the_root_down(organisations)?;
        let offices = file
            .office
            .into_iter()
            .map(office)
            .collect::<Result<Vec<_>, _>>()?;
        for office in &offices {
            if !organisations
                .iter()
                .any(|known| known.code == office.organisation)
            {
                let wherein = format!("office of {}", office.member);
                return Err(ConfigFault::UnknownOrganisation {
                    wherein,
                    code: office.organisation.clone(),
                });
            }
        }
        Ok(Self {
            hosts: file.hosts,
            organisations,
            offices,
        })
    }
}

fn organisation(entry: OrganisationEntry) -> Result<PlannedOrganisation, ConfigFault> {
    let level =
        OrganisationLevel::from_name(&entry.level).ok_or_else(|| ConfigFault::UnknownWord {
            wherein: format!("level of {}", entry.code),
            word: entry.level.clone(),
            known: names(OrganisationLevel::ALL.iter().map(|level| level.name())),
        })?;
    let mut policy = Policy::default();
    let written = entry.policy;
    macro_rules! overrule {
        ($($field:ident),*) => { $( if let Some(value) = written.$field { policy.$field = value; } )* };
    }
    overrule!(
        answer_minutes_before,
        absence_minutes_before,
        objection_days,
        excused_leave_rate_base,
        temporary_in_counts,
        good_attendance_percent,
        notice_minutes_ahead
    );
    Ok(PlannedOrganisation {
        code: entry.code,
        name: entry.name,
        level,
        above: entry.above,
        policy,
    })
}

fn office(entry: OfficeEntry) -> Result<PlannedOffice, ConfigFault> {
    let role = Role::from_name(&entry.role).ok_or_else(|| ConfigFault::UnknownWord {
        wherein: format!("office of {}", entry.member),
        word: entry.role.clone(),
        known: names(Role::ALL.iter().map(|role| role.name())),
    })?;
    let day = |text: &str| {
        text.parse().map_err(|_| ConfigFault::Day {
            wherein: format!("office of {}", entry.member),
            text: text.to_owned(),
        })
    };
    Ok(PlannedOffice {
        role,
        from: day(&entry.from)?,
        until: entry.until.as_deref().map(day).transpose()?,
        member: entry.member,
        organisation: entry.organisation,
        phone: entry.phone,
    })
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

/// Sorts organisations so that each comes after the one above it.
fn from_the_root_down(
    planned: Vec<PlannedOrganisation>,
) -> Result<Vec<PlannedOrganisation>, ConfigFault> {
    let mut waiting: BTreeMap<String, PlannedOrganisation> = BTreeMap::new();
    let mut order = Vec::with_capacity(planned.len());
    for one in planned {
        order.push(one.code.clone());
        let code = one.code.clone();
        if waiting.insert(code.clone(), one).is_some() {
            return Err(ConfigFault::CodeTwice { code });
        }
    }
    for one in waiting.values() {
        if let Some(above) = one
            .above
            .as_ref()
            .filter(|above| !waiting.contains_key(*above))
        {
            return Err(ConfigFault::UnknownOrganisation {
                wherein: one.code.clone(),
                code: above.clone(),
            });
        }
    }
    if !waiting.values().any(|one| one.above.is_none()) {
        return Err(ConfigFault::NoRoot);
    }
    let mut sorted: Vec<PlannedOrganisation> = Vec::with_capacity(order.len());
    while !waiting.is_empty() {
        let next = order.iter().find(|code| {
            waiting.get(*code).is_some_and(|one| {
                one.above
                    .as_ref()
                    .is_none_or(|above| !waiting.contains_key(above))
            })
        });
        match next.and_then(|code| waiting.remove(code)) {
            Some(one) => sorted.push(one),
            None => {
                return Err(ConfigFault::Loop {
                    code: waiting.into_keys().next().unwrap_or_default(),
                });
            }
        }
    }
    Ok(sorted)
}

/// The ids of organisations by their codes.
pub(super) type OrganisationIds = BTreeMap<String, OrganisationId>;

#[cfg(test)]
mod tests {
    use super::*;

    fn with(organisations: &str) -> Result<Config, ConfigFault> {
        Config::parse(&format!("hosts = [\"localhost\"]\n{organisations}"))
    }

    fn organisation(code: &str, above: Option<&str>) -> String {
        let above = above.map_or_else(String::new, |above| format!("above = \"{above}\"\n"));
        format!(
            "[[organisation]]\ncode = \"{code}\"\nname = \"Mẫu\"\nlevel = \"PartyCell\"\n{above}"
        )
    }

    #[test]
    fn the_tree_is_sorted_from_the_root_down() {
        let text =
            organisation("c", Some("b")) + &organisation("b", Some("a")) + &organisation("a", None);
        let codes: Vec<_> = with(&text)
            .unwrap()
            .organisations
            .into_iter()
            .map(|one| one.code)
            .collect();
        assert_eq!(codes, ["a", "b", "c"]);
    }

    #[test]
    fn a_tree_that_is_none_says_why() {
        let a = organisation("a", None);
        assert_eq!(
            with(&organisation("a", Some("a"))),
            Err(ConfigFault::NoRoot)
        );
        assert_eq!(
            with(&(a.clone() + &a)),
            Err(ConfigFault::CodeTwice { code: "a".into() })
        );
        assert_eq!(
            with(&(a.clone() + &organisation("b", Some("c")) + &organisation("c", Some("b")))),
            Err(ConfigFault::Loop { code: "b".into() })
        );
        assert_eq!(
            with(&(a + &organisation("b", Some("x")))),
            Err(ConfigFault::UnknownOrganisation {
                wherein: "b".into(),
                code: "x".into()
            })
        );
        assert!(matches!(
            with("organisation = 7"),
            Err(ConfigFault::Form(_))
        ));
        assert!(matches!(
            Config::parse("hosts = []\norganisation = []"),
            Err(ConfigFault::NoHosts)
        ));
    }
}
