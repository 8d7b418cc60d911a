//! Commands whose arguments and answers take more than some lines. Each has a `run` that returns what is printed.

mod invitations;

pub(crate) use invitations::{Invitations, Invite};
