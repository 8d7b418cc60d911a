//! The first screen and the outbox.

mod commands;
mod views;

pub use views::{ContactView, DeliveryView, HomeView, OutboxLine, OutboxView, WaitingItem};
