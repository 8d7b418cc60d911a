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

impl Change {
    /// The name it changes, and the second one of a rename.
    fn names(&self) -> (&str, Option<&str>) {
        match self {
            Self::Create { path, .. } | Self::Remove { path, .. } => (path, None),
            Self::Rename { from, to, .. } => (from, Some(to)),
        }
    }
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
        self.settle(|change| {
            let (one, other) = change.names();
            parent(one) == folder || other.is_some_and(|other| parent(other) == folder)
        });
    }

    /// Makes the creation of one file durable, as its own sync does on common file systems. A file that was removed
    /// meanwhile keeps no name to make durable.
    pub(crate) fn sync_creation(&mut self, of: NodeId) {
        let removed =
            |change: &Change| matches!(change, Change::Remove { node, .. } if *node == of);
        if !self.log.iter().any(removed) {
            self.settle(|change| matches!(change, Change::Create { node, .. } if *node == of));
        }
    }

    /// Makes the wanted changes durable, and with each the earlier ones of the same names: a name that is durable in
    /// its new meaning cannot get an old one back.
    fn settle(&mut self, wanted: impl Fn(&Change) -> bool) {
        let mut names: Vec<&str> = Vec::new();
        let mut settled = vec![false; self.log.len()];
        for (change, settled) in self.log.iter().zip(&mut settled).rev() {
            let (one, other) = change.names();
            let touched = names.contains(&one) || other.is_some_and(|other| names.contains(&other));
            if touched || wanted(change) {
                *settled = true;
                names.push(one);
                names.extend(other);
            }
        }
        let durable = &mut self.durable;
        let mut settled = settled.into_iter();
        self.log.retain(|change| {
            let settled = settled.next() == Some(true);
            if settled {
                apply(durable, change);
            }
            !settled
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
