//! The reference sync server of the member handbook.
//!
//! ```text
//! http     TLS, limits, signatures, routes      thin
//! engine   batches in one transaction, feeds    plain synchronous code; knows no domain
//! shape    what a message may look like before it is read
//! storage  embedded SQLite, narrow methods
//! blobs    attachments in a folder
//! audit    who did what, chained and signed
//! commune  init and import: register, roots; invitations of a whole commune
//! paper    invitations as A4 pages, picture: as QR codes
//! ```
//! A folder made by [`commune::init`] holds everything: database, roots, the server's certificate. [`Server::start`] runs
//! it inside any program; the binary `sotay-server` is a command line around the same functions.

pub mod audit;
pub mod blobs;
pub mod commune;
mod durable;
pub mod engine;
pub mod http;
mod paper;
pub mod picture;
mod private_file;
pub mod shape;
pub mod storage;

pub use commune::Commune;
pub use http::{
    Front, Limits, ProxyHeader, Rate, Rates, Running, Server, ServerConfig, StartError,
    system_clock,
};
