//! The first screen and the outbox.

mod reads;
mod views;

pub use views::{ContactView, DeliveryView, HomeView, OutboxLine, OutboxView, WaitingItem};
