//! Who may do what, held against `docs/authorisation.md`, and against a second evaluator over random histories.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod ground;
mod histories;
mod matrix;
mod page;
mod reference;
mod trials;
