//! What the operator removes because it should never have been entered: what must become of the records, and what must not come back.

use std::rc::Rc;

use sotay_model::documents::{Document, Section};
use sotay_model::meetings::Meeting;
use sotay_model::removed::REMOVED;
use sotay_model::{Body, Effect, Kind, Put, RecordKey, Timestamp};

use super::{Reference, Version, record};

/// The texts that are long enough to be refused from then on.
const LONG: usize = 40;

impl Reference {
    /// The records that may be removed here: notices and documents.
    pub fn removable(&self) -> Vec<RecordKey> {
        let removable = |kind| matches!(kind, Kind::Meeting | Kind::Document);
        let found = self.records.iter().filter(|(_, v)| removable(v.kind));
        found.map(|(key, _)| *key).collect()
    }

    /// Removes the words of a notice, or of a document and its sections.
    pub fn purge(&mut self, key: RecordKey, now: Timestamp) {
        let mut sections: Vec<(u64, RecordKey)> = self
            .records
            .iter()
            .filter(|(_, version)| version.kind == Kind::Section && version.parent == key.id)
            .filter_map(|(section, _)| {
                let seq = self.feeds.get(&key.home)?.newest.get(section)?;
                Some((*seq, *section))
            })
            .collect();
        sections.sort_unstable();
        let all = std::iter::once(key).chain(sections.into_iter().map(|(_, section)| section));
        for key in all {
            let Some(version) = self.records.get(&key).cloned() else {
                continue;
            };
            let words: Vec<String> = long_words(key, &version);
            Rc::make_mut(&mut self.spilled).extend(words);
            let Some(put) = without_words(key, &version) else {
                continue;
            };
            if put.body != *version.body {
                drop(self.write(&Effect { puts: vec![put] }, now));
            }
        }
    }

    /// Whether an effect brings a removed text back.
    pub(super) fn brings_back(&self, effect: &Effect) -> bool {
        effect.puts.iter().any(|put| {
            let version = Version {
                kind: put.kind,
                parent: put.parent,
                stamp: Default::default(),
                body: put.body.as_slice().into(),
                audience: put.audience.as_slice().into(),
            };
            let words = long_words(put.key, &version);
            words.iter().any(|text| self.spilled.contains(text))
        })
    }
}

fn read<T: Body>(key: RecordKey, version: &Version) -> Option<T> {
    record(key, version).read().ok()
}

fn long_words(key: RecordKey, version: &Version) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(meeting) = read::<Meeting>(key, version) {
        for notice in meeting.versions {
            words.extend([notice.title, notice.place]);
            words.extend(notice.agenda.into_iter().chain(notice.guests));
        }
        words.extend(meeting.cancel_reason);
    }
    if let Some(section) = read::<Section>(key, version) {
        words.extend([section.heading, section.text]);
    }
    if let Some(document) = read::<Document>(key, version) {
        words.extend([document.title, document.issuer]);
        words.extend(document.number);
    }
    words.retain(|text| text.chars().count() >= LONG);
    words
}

fn without_words(key: RecordKey, version: &Version) -> Option<Put> {
    let removed = |text: &mut String| {
        if !text.is_empty() {
            *text = REMOVED.to_owned();
        }
    };
    let put = match version.kind {
        Kind::Meeting => {
            let mut meeting: Meeting = read(key, version)?;
            for notice in &mut meeting.versions {
                removed(&mut notice.title);
                removed(&mut notice.place);
                notice.agenda.iter_mut().for_each(removed);
                notice.guests.iter_mut().for_each(removed);
            }
            meeting.cancel_reason.iter_mut().for_each(removed);
            Put::of(key, version.parent, &meeting)
        }
        Kind::Document => {
            let mut document: Document = read(key, version)?;
            removed(&mut document.title);
            removed(&mut document.issuer);
            document.number.iter_mut().for_each(removed);
            Put::of(key, version.parent, &document)
        }
        Kind::Section => {
            let mut section: Section = read(key, version)?;
            removed(&mut section.heading);
            removed(&mut section.text);
            Put::of(key, version.parent, &section)
        }
        _ => return None,
    };
    Some(put)
}
