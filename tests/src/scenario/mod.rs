//! The stories in `tests/scenarios/`, and how they are run here. The vocabulary stands in the README beside them.

mod arguments;
mod commands;
mod compare;
mod place;
mod run;
mod screens;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use sotay_client::HandbookError;

use crate::commune::CommunePlan;
use crate::failure::Failure;

pub use place::Place;
pub use run::run;

/// Why a step did not come to its end.
#[derive(Debug)]
enum Trouble {
    /// The handbook said so: perhaps as expected.
    Told(HandbookError),
    /// The scenario is not well written, or the machine failed.
    Scenario(Failure),
}

impl From<HandbookError> for Trouble {
    fn from(error: HandbookError) -> Self {
        Self::Told(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Scenario(failure)
    }
}

/// A story.
#[derive(Debug)]
pub struct Scenario {
    /// What it is about.
    pub title: String,
    /// Who there is.
    pub commune: CommunePlan,
    /// Phones, and whose they are.
    pub phones: BTreeMap<String, Option<String>>,
    /// What happens.
    pub steps: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    commune: CommuneOrFile,
    phones: BTreeMap<String, Option<String>>,
    steps: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CommuneOrFile {
    /// Another file of the folder, whose commune is the same.
    File(String),
    Here(CommunePlan),
}

impl Scenario {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file = read(path)?;
        let commune = match file.commune {
            CommuneOrFile::Here(commune) => commune,
            CommuneOrFile::File(other) => match read(&path.with_file_name(&other))?.commune {
                CommuneOrFile::Here(commune) => commune,
                CommuneOrFile::File(_) => crate::fail!("{other} has no commune of its own"),
            },
        };
        Ok(Self {
            title: file.title,
            commune,
            phones: file.phones,
            steps: file.steps,
        })
    }
}

fn read(path: &Path) -> Result<File, Failure> {
    let name = path.display();
    let text = std::fs::read(path).map_err(|error| Failure::from(error).during(name))?;
    serde_json::from_slice(&text).map_err(|error| Failure::from(error).during(path.display()))
}
