//! A commune in a temporary folder, and phones that keep what they are sent and check the sums.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sotay_model::device_key::PublicKey;
use sotay_model::meetings::{
    Base, ChangeNotice, MeetingKind, MeetingMode, NoticeText, PublishNotice,
};
use sotay_model::record::{RecordHash, ScopeSum, Stamp};
use sotay_model::wire::{Cursor, PROTOCOL, ProblemCode, Sent, SyncRequest, SyncResponse, Verdict};
use sotay_model::{
    Id, InstallationId, Intent, MeetingKey, Mutation, OrganisationId, RecordKey, Scope, Timestamp,
    cbor,
};
use sotay_server::Commune;
use sotay_server::commune::{self, Config};
use sotay_server::engine::{Answered, Asked, Engine};
use sotay_server::storage::{Installation, Storage};

/// 22 November 2026, 10:00 in Vietnam.
pub(crate) const NOW: Timestamp = Timestamp(1_795_316_400_000);

pub(crate) const CONFIG: &str = include_str!("../../commune.example.toml");
pub(crate) const MEMBERS: &str = include_str!("../../members.example.csv");

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) commune: Commune,
}

impl Place {
    /// The example commune.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::parse(CONFIG).unwrap();
        let list = commune::read_csv(MEMBERS.as_bytes()).unwrap();
        let commune = commune::init(&config, &list, &folder.path().join("data"), NOW).unwrap();
        Self { folder, commune }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn cell(&self, code: &str) -> OrganisationId {
        self.commune.organisations[code]
    }

    pub(crate) fn engine(&self) -> Engine {
        open(&self.data())
    }

    /// A phone of a member, made known without an invitation.
    pub(crate) fn phone(&self, engine: &mut Engine, member: &str) -> Phone {
        let member = self.commune.members[member];
        let id = InstallationId(Id::derived("phone", &[member.0, fresh_id()]));
        let transaction = engine.storage().write().unwrap();
        let phone = Installation::joining(
            id,
            member,
            PublicKey::ed25519(&[0; 32]),
            "Máy thử".into(),
            NOW,
        )
        .confirmed();
        transaction.add_installation(&phone).unwrap();
        transaction.commit().unwrap();
        Phone {
            id,
            n: 0,
            max_rows: 1_000,
            max_bytes: 0,
            settled_through: 0,
            incarnation: 0,
            feeds: BTreeMap::new(),
        }
    }

    /// Imports the example list with some text replaced.
    pub(crate) fn import_with(&self, from: &str, to: &str) {
        assert!(MEMBERS.contains(from));
        let list = commune::read_csv(MEMBERS.replace(from, to).as_bytes()).unwrap();
        commune::import(&self.data(), &list, NOW).unwrap();
    }
}

pub(crate) fn open(data: &Path) -> Engine {
    Engine::new(Storage::open(&data.join(commune::DATABASE)).unwrap())
}

pub(crate) fn fresh_id() -> Id {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Id::v7(NOW.0, random)
}

/// What a phone holds of one scope.
#[derive(Default, Debug, PartialEq, Eq, Clone)]
pub(crate) struct Feed {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) began: u64,
    pub(crate) live: BTreeMap<RecordKey, (Stamp, Vec<u8>)>,
}

pub(crate) struct Phone {
    pub(crate) id: InstallationId,
    pub(crate) n: u64,
    pub(crate) max_rows: u32,
    pub(crate) max_bytes: u32,
    pub(crate) settled_through: u64,
    pub(crate) incarnation: u64,
    pub(crate) feeds: BTreeMap<Scope, Feed>,
}

impl Phone {
    /// The next mutation.
    pub(crate) fn next(&mut self, intent: impl Into<Intent>) -> Sent {
        self.next_needing(Vec::new(), intent)
    }

    pub(crate) fn next_needing(&mut self, needs: Vec<i64>, intent: impl Into<Intent>) -> Sent {
        self.n += 1;
        sent(self.n, needs, intent)
    }

    pub(crate) fn request(&self, mutations: Vec<Sent>) -> SyncRequest {
        SyncRequest {
            protocol: PROTOCOL,
            incarnation: self.incarnation,
            cursors: self
                .feeds
                .iter()
                .map(|(scope, feed)| Cursor {
                    scope: *scope,
                    epoch: feed.epoch,
                    seq: feed.seq,
                    began: feed.began,
                })
                .collect(),
            mutations,
            max_rows: self.max_rows,
            max_bytes: self.max_bytes,
            settled_through: self.settled_through,
        }
    }

    /// One round trip, as it came.
    pub(crate) fn ask(
        &self,
        engine: &mut Engine,
        mutations: Vec<Sent>,
    ) -> Result<SyncResponse, ProblemCode> {
        let asked = Asked {
            installation: self.id,
            request: self.request(mutations),
        };
        let Answered { mut responses, .. } = engine.handle_batch(&[asked], NOW).unwrap();
        responses.pop().unwrap()
    }

    /// One round trip; what comes is kept and checked.
    pub(crate) fn sync(&mut self, engine: &mut Engine, mutations: Vec<Sent>) -> SyncResponse {
        let response = self.ask(engine, mutations).unwrap();
        self.keep(&response);
        response
    }

    /// Round trips until nothing more waits; how many it took.
    pub(crate) fn sync_all(&mut self, engine: &mut Engine) -> usize {
        for round in 1..1_000 {
            if !self.sync(engine, Vec::new()).more {
                return round;
            }
        }
        panic!("it never ends");
    }

    pub(crate) fn keep(&mut self, response: &SyncResponse) {
        if response.incarnation != self.incarnation {
            self.incarnation = response.incarnation;
            self.feeds.clear();
        }
        for scope in &response.revoked {
            self.feeds.remove(scope);
        }
        for page in &response.pages {
            let feed = self.feeds.entry(page.scope).or_default();
            if feed.epoch != page.epoch {
                *feed = Feed {
                    epoch: page.epoch,
                    ..Feed::default()
                };
            }
            if page.from == 0 && page.began > feed.seq.max(feed.began) {
                *feed = Feed {
                    epoch: page.epoch,
                    ..Feed::default()
                };
            }
            assert_eq!(page.from, feed.seq, "a page begins at the cursor");
            if page.from == 0 {
                feed.began = page.began;
            }
            let mut before = page.from;
            for row in &page.rows {
                assert!(
                    before < row.seq && row.seq <= page.to,
                    "rows ascend within their page"
                );
                before = row.seq;
                match &row.content {
                    Some(content) => feed.live.insert(row.key, (row.stamp, content.body.clone())),
                    None => feed.live.remove(&row.key),
                };
            }
            feed.seq = page.to;
            assert_eq!(page.more, page.sum.is_none());
            if let Some(sum) = &page.sum {
                let mut own = ScopeSum::default();
                for (key, (stamp, body)) in &feed.live {
                    own.add(RecordHash::of(key, *stamp, body));
                }
                assert_eq!(
                    (sum.as_slice(), page.count),
                    (own.sum.to_be_bytes().as_slice(), Some(own.count))
                );
            }
        }
    }

    pub(crate) fn holds(&self, key: RecordKey) -> bool {
        self.feeds.values().any(|feed| feed.live.contains_key(&key))
    }
}

pub(crate) fn sent(n: u64, needs: Vec<i64>, intent: impl Into<Intent>) -> Sent {
    let mutation = Mutation {
        made_at: NOW,
        needs,
        intent: intent.into(),
    };
    Sent {
        n,
        mutation: cbor::to_bytes(&mutation),
    }
}

pub(crate) fn verdicts(response: &SyncResponse) -> Vec<&Verdict> {
    response
        .receipts
        .iter()
        .map(|receipt| &receipt.verdict)
        .collect()
}

pub(crate) fn notice_text(title: &str) -> NoticeText {
    NoticeText {
        title: title.into(),
        starts_at: NOW.plus_minutes(3 * 24 * 60),
        ends_at: NOW.plus_minutes(3 * 24 * 60 + 90),
        place: "Nhà văn hóa thôn Mẫu".into(),
        mode: MeetingMode::InRoom,
        agenda: vec!["Sinh hoạt thường kỳ".into()],
        documents: Vec::new(),
        guests: Vec::new(),
        answer_by: None,
        absence_by: None,
    }
}

pub(crate) fn publish(cell: OrganisationId, title: &str) -> PublishNotice {
    PublishNotice {
        meeting: MeetingKey(RecordKey::new(Scope::organisation(cell), fresh_id())),
        participating: vec![cell],
        kind: MeetingKind::Regular,
        notice: notice_text(title),
    }
}

pub(crate) fn change(meeting: MeetingKey, base: Base, title: &str) -> ChangeNotice {
    ChangeNotice {
        meeting,
        base,
        notice: notice_text(title),
        urgent: false,
    }
}
