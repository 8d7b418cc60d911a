//! A member's phones, and what an officer does for other members' phones: invitations, confirmations, revocations, and the other
//! acts that need a fresh unlock.
//!
//! All of it is decided by the server at once, so all of it needs the network: nothing here waits in the outbox, and a call
//! that failed has changed nothing that it says it changed.

mod acts;
mod calls;
mod views;

pub use acts::{ActDone, PrivilegedAct};
pub use views::{Confirmation, InvitationView, JoiningPhoneView, PhoneView, QrView, TaskForm};
