//! The names of files, and the changes of names that are not durable yet.
//!
//! Invariant: `current` is `durable` with the whole of `log` applied in order. A loss of power keeps any of the log's
//! changes, each whole: a rename never leaves both names or none.

use std::collections::BTreeMap;

use crate::random::Random;

/// Where a node lies in the disk's list.
pub(crate) type NodeId = usize;
type Names = BTreeMap<Box<str>, NodeId>;

#[derive(Clone, Debug)]
enum Change {
    Create {
        path: Box<str>,
        node: NodeId,
    },
    Rename {
        from: Box<str>,
        to: Box<str>,
        node: NodeId,
    },
    Remove {
        path: Box<str>,
        node: NodeId,
    },
}

/// All names on a disk. Folders themselves are not kept: a path's part before the last `/` is its folder.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    current: Names,
    durable: Names,
    log: Vec<Change>,
}

impl Folders {
    pub(crate) fn find(&self, path: &str) -> Option<NodeId> {
        self.current.get(path).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, NodeId)> {
        self.current.iter().map(|(path, node)| (&**path, *node))
    }

    /// A name that is durable at once.
    pub(crate) fn put(&mut self, path: &str, node: NodeId) {
        self.current.insert(path.into(), node);
        self.durable.insert(path.into(), node);
    }

    pub(crate) fn create(&mut self, path: &str, node: NodeId) {
        self.current.insert(path.into(), node);
        self.log.push(Change::Create {
            path: path.into(),
            node,
        });
    }

    /// `false` if there is no such file.
    pub(crate) fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(node) = self.current.remove(from) else {
            return false;
        };
        self.current.insert(to.into(), node);
        self.log.push(Change::Rename {
            from: from.into(),
            to: to.into(),
            node,
        });
        true
    }

    /// `false` if there is no such file.
    pub(crate) fn remove(&mut self, path: &str) -> bool {
        let Some(node) = self.current.remove(path) else {
            return false;
        };
        self.log.push(Change::Remove {
            path: path.into(),
            node,
        });
        true
    }

    /// Makes every change of a name in `folder` durable.
    pub(crate) fn sync(&mut self, folder: &str) {
        let durable = &mut self.durable;
        self.log.retain(|change| {
            let here = match change {
                Change::Create { path, .. } | Change::Remove { path, .. } => parent(path) == folder,
                Change::Rename { from, to, .. } => parent(to) == folder || parent(from) == folder,
            };
            if here {
                apply(durable, change);
            }
            !here
        });
    }

    /// Makes the creation of one file durable, as its own sync does on common file systems.
    pub(crate) fn sync_creation(&mut self, of: NodeId) {
        if self.log.is_empty() {
            return;
        }
        // A file that was removed meanwhile keeps no name to make durable.
        let removed =
            |change: &Change| matches!(change, Change::Remove { node, .. } if *node == of);
        if self.log.iter().any(removed) {
            return;
        }
        let durable = &mut self.durable;
        self.log.retain(|change| match change {
            Change::Create { node, .. } if *node == of => {
                apply(durable, change);
                false
            }
            _ => true,
        });
    }

    /// Loses power: `kept` of a hundred changes of names survive.
    pub(crate) fn crash(&mut self, random: &mut Random, kept: u8) {
        for change in std::mem::take(&mut self.log) {
            if random.chance(kept) {
                apply(&mut self.durable, &change);
            }
        }
        self.current.clone_from(&self.durable);
    }

    /// Whether any name, now or after a loss of power, leads to each node.
    pub(crate) fn mark(&self, reachable: &mut [bool]) {
        let pending = self.log.iter().map(|change| match change {
            Change::Create { node, .. }
            | Change::Rename { node, .. }
            | Change::Remove { node, .. } => node,
        });
        for node in self
            .current
            .values()
            .chain(self.durable.values())
            .chain(pending)
        {
            reachable[*node] = true;
        }
    }
}

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Create { path, node } => {
            names.insert(path.clone(), *node);
        }
        Change::Rename { from, to, node } => {
            if names.get(from) == Some(node) {
                names.remove(from);
            }
            names.insert(to.clone(), *node);
        }
        Change::Remove { path, node } => {
            if names.get(path) == Some(node) {
                names.remove(path);
            }
        }
    }
}

/// The folder that a path lies in; the empty string for the disk's root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
