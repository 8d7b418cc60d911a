//! The own profile and card.

mod commands;
mod views;

pub use views::{CorrectionView, OfficeView, ProfileView};
