//! A disk's whole state: its files, their names, the faults to come, and the one place where an operation is counted.
//!
//! Invariant: every operation that reaches the medium passes `State::begin` once, so that "the n-th operation" is the
//! same one in every run of the same scenario; a disk without power changes nothing until `State::crash`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::fault::{Failure, Fault, Options, Statistics};
use crate::folder::{Folders, NodeId, parent};
use crate::node::{Losses, Mood, Node, cut};
use crate::random::Random;

/// What `begin` allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Half,
}

#[derive(Debug)]
pub(crate) struct State {
    nodes: Vec<Option<Node>>,
    folders: Folders,
    random: Random,
    pub(crate) options: Options,
    pub(crate) operations: u64,
    scheduled: BTreeMap<u64, Fault>,
    short: bool,
    full: bool,
    pub(crate) down: bool,
    pub(crate) epoch: u64,
    statistics: Statistics,
    losses: Losses,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            nodes: Vec::new(),
            folders: Folders::default(),
            random: Random::new(seed),
            options: Options::default(),
            operations: 0,
            scheduled: BTreeMap::new(),
            short: false,
            full: false,
            down: false,
            epoch: 0,
            statistics: Statistics::default(),
            losses: Losses::default(),
        }
    }

    pub(crate) fn schedule(&mut self, from_now: u64, fault: Fault) {
        self.scheduled
            .insert(self.operations.saturating_add(from_now), fault);
    }

    pub(crate) fn clear_faults(&mut self) {
        self.scheduled.clear();
        self.short = false;
    }

    pub(crate) fn make_room(&mut self) {
        self.full = false;
        self.options.capacity = None;
    }

    pub(crate) fn statistics(&self) -> Statistics {
        let Losses { kept, lost, torn } = self.losses;
        Statistics {
            kept,
            lost,
            torn,
            ..self.statistics
        }
    }

    /// Counts one operation and lets the fault that waits for it come true.
    fn begin(&mut self) -> Result<(), Failure> {
        if self.down {
            return Err(Failure::Down);
        }
        let number = self.operations;
        self.operations += 1;
        if self.scheduled.is_empty() {
            return Ok(());
        }
        match self.scheduled.remove(&number) {
            None => Ok(()),
            Some(Fault::Crash) => {
                self.statistics.crashes += 1;
                self.down = true;
                Err(Failure::PowerLost)
            }
            Some(Fault::IoError) => {
                self.statistics.io_errors += 1;
                Err(Failure::Io)
            }
            Some(Fault::Full) => {
                self.statistics.full += 1;
                self.full = true;
                Ok(())
            }
            Some(Fault::ShortWrite) => {
                self.short = true;
                Ok(())
            }
        }
    }

    fn begin_write(&mut self) -> Result<Extent, Failure> {
        self.begin()?;
        if !std::mem::take(&mut self.short) {
            return Ok(Extent::Whole);
        }
        self.statistics.short_writes += 1;
        Ok(Extent::Half)
    }

    fn room_for(&mut self, growth: usize) -> Result<(), Failure> {
        if growth == 0 {
            return Ok(());
        }
        let over = self.options.capacity.is_some_and(|capacity| {
            let used: usize = self
                .folders
                .names()
                .filter_map(|(_, node)| self.nodes[node].as_ref())
                .map(Node::len)
                .sum();
            used as u64 + growth as u64 > capacity
        });
        if self.full || over {
            self.statistics.refused += 1;
            return Err(Failure::Full);
        }
        Ok(())
    }

    /// The file of a handle, if power has not gone since it was opened.
    pub(crate) fn node(&mut self, id: NodeId, epoch: u64) -> Result<&mut Node, Failure> {
        if epoch != self.epoch {
            return Err(Failure::Dead);
        }
        self.nodes
            .get_mut(id)
            .and_then(Option::as_mut)
            .ok_or(Failure::Dead)
    }

    fn add(&mut self, node: Node) -> NodeId {
        match self.nodes.iter().position(Option::is_none) {
            Some(free) => {
                self.nodes[free] = Some(node);
                free
            }
            None => {
                self.nodes.push(Some(node));
                self.nodes.len() - 1
            }
        }
    }

    /// Opens a file, creating it if `create` and it is missing; `new` insists that it is missing.
    pub(crate) fn open(&mut self, path: &str, create: bool, new: bool) -> Result<NodeId, Failure> {
        self.begin()?;
        let id = match self.folders.find(path) {
            Some(_) if new => return Err(Failure::Exists),
            Some(id) => id,
            None if create => {
                let id = self.add(Node::default());
                self.folders.create(path, id);
                id
            }
            None => return Err(Failure::NotFound),
        };
        if let Some(node) = self.nodes[id].as_mut() {
            node.open += 1;
        }
        Ok(id)
    }

    pub(crate) fn close(&mut self, id: NodeId, epoch: u64) {
        if let Ok(node) = self.node(id, epoch) {
            node.open = node.open.saturating_sub(1);
        }
    }

    pub(crate) fn read(
        &mut self,
        id: NodeId,
        epoch: u64,
        offset: usize,
        into: &mut [u8],
    ) -> Result<usize, Failure> {
        self.node(id, epoch)?;
        self.begin()?;
        Ok(self.node(id, epoch)?.read(offset, into))
    }

    /// Returns how much was written: less than all only when a short write came true.
    pub(crate) fn write(
        &mut self,
        id: NodeId,
        epoch: u64,
        offset: usize,
        bytes: &[u8],
    ) -> Result<usize, Failure> {
        let len = self.node(id, epoch)?.len();
        let extent = self.begin_write();
        if extent == Err(Failure::PowerLost) {
            let end = cut(
                offset,
                bytes.len(),
                &mut self.random,
                self.options.tear_anywhere,
            );
            if end > 0 && self.room_for((offset + end).saturating_sub(len)).is_ok() {
                self.node(id, epoch)?.write(offset, &bytes[..end]);
            }
        }
        let bytes = match extent? {
            Extent::Whole => bytes,
            Extent::Half => &bytes[..bytes.len() / 2],
        };
        self.room_for((offset + bytes.len()).saturating_sub(len))?;
        if !bytes.is_empty() {
            self.node(id, epoch)?.write(offset, bytes);
        }
        Ok(bytes.len())
    }

    pub(crate) fn resize(&mut self, id: NodeId, epoch: u64, len: usize) -> Result<(), Failure> {
        let before = self.node(id, epoch)?.len();
        self.begin()?;
        self.room_for(len.saturating_sub(before))?;
        if len != before {
            self.node(id, epoch)?.resize(len);
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self, id: NodeId, epoch: u64) -> Result<(), Failure> {
        self.node(id, epoch)?;
        let begun = self.begin();
        let forgetful = self.options.forgetful_sync;
        let node = self.node(id, epoch)?;
        if begun == Err(Failure::Io) && forgetful {
            node.forget();
        }
        begun?;
        node.sync();
        if !self.options.strict_folders {
            self.folders.sync_creation(id);
        }
        Ok(())
    }

    /// A file's length; asks the system's memory of it, so that it is no operation of the disk.
    pub(crate) fn len(&mut self, id: NodeId, epoch: u64) -> Result<usize, Failure> {
        if self.down {
            return Err(Failure::Down);
        }
        Ok(self.node(id, epoch)?.len())
    }

    /// The length of a file by its name, `None` if there is none; no operation of the disk.
    pub(crate) fn find(&self, path: &str) -> Result<Option<usize>, Failure> {
        if self.down {
            return Err(Failure::Down);
        }
        Ok(self.look(path).map(Node::len))
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        self.begin()?;
        if self.folders.rename(from, to) {
            Ok(())
        } else {
            Err(Failure::NotFound)
        }
    }

    pub(crate) fn remove(&mut self, path: &str) -> Result<(), Failure> {
        self.begin()?;
        if self.folders.remove(path) {
            Ok(())
        } else {
            Err(Failure::NotFound)
        }
    }

    pub(crate) fn sync_folder(&mut self, folder: &str) -> Result<(), Failure> {
        self.begin()?;
        self.folders.sync(folder);
        self.sweep();
        Ok(())
    }

    /// Makes the names beside `path` durable as a part of the operation before; counts as none.
    pub(crate) fn sync_beside(&mut self, path: &str) {
        self.folders.sync(parent(path));
    }

    /// Forgets files that no name leads to and nobody has open.
    fn sweep(&mut self) {
        let mut reachable = vec![false; self.nodes.len()];
        self.folders.mark(&mut reachable);
        for (slot, reachable) in self.nodes.iter_mut().zip(reachable) {
            if !reachable && slot.as_ref().is_some_and(|node| node.open == 0) {
                *slot = None;
            }
        }
    }

    /// Loses power and comes back.
    pub(crate) fn crash(&mut self) {
        // One loss takes nearly everything, another nearly nothing: each shows other mistakes.
        let kept = [0, 10, 50, 90, 100][self.random.below(5)];
        let torn = [0, 20, 60][self.random.below(3)];
        let mood = Mood {
            kept,
            torn,
            anywhere: self.options.tear_anywhere,
        };
        for node in self.nodes.iter_mut().flatten() {
            node.crash(&mut self.random, mood, &mut self.losses);
        }
        self.folders.crash(&mut self.random, kept);
        self.epoch += 1;
        self.down = false;
        self.short = false;
        self.statistics.reboots += 1;
        self.sweep();
    }

    /// A file as it is, for a test that looks from outside.
    pub(crate) fn look(&self, path: &str) -> Option<&Node> {
        self.nodes.get(self.folders.find(path)?)?.as_ref()
    }

    /// A file as it is, for a test that damages it from outside.
    pub(crate) fn touch(&mut self, path: &str) -> Option<&mut Node> {
        self.nodes.get_mut(self.folders.find(path)?)?.as_mut()
    }

    /// Puts a whole file there, durable at once.
    pub(crate) fn put(&mut self, path: &str, content: Arc<Vec<u8>>) {
        if let Some(node) = self.touch(path) {
            node.replace(content);
        } else {
            let id = self.add(Node::at_rest(content));
            self.folders.put(path, id);
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.folders
            .names()
            .filter_map(|(path, id)| Some((path, self.nodes.get(id)?.as_ref()?)))
    }

    /// Replaces every file at once; handles of before die.
    pub(crate) fn restore(&mut self, files: &BTreeMap<Box<str>, Arc<Vec<u8>>>) {
        self.nodes.clear();
        self.folders = Folders::default();
        self.epoch += 1;
        self.down = false;
        for (path, content) in files {
            self.put(path, Arc::clone(content));
        }
    }
}
