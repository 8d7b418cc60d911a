//! The phone's engine.
#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();
