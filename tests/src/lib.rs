//! What tests, the demo and the measurements are made of: communes, server processes, phones, and a network that fails.
//!
//! * `commune`  – a commune described in code or in a scenario, written as the files that an operator writes
//! * `server`   – a real server process on loopback, which can be killed and started again
//! * `phone`    – a handbook in a folder of its own, with a key store that outlives it
//! * `network`  – a proxy for one phone, which can be cut at a byte
//! * `relay`    – one that ends TLS on both sides: it counts, keeps and holds back whole messages
//! * `recording` – what a phone really sends, for verifiers by other authors
//! * `fault`    – a server that speaks TLS well and then answers wrongly
//! * `scenario` – the stories in `scenarios/`, told in JSON and run in every language
//! * `examiner` – what really lies in the databases of phone and server, compared record by record
//! * `measure`  – the benchmarks
//! * `crash`    – real processes that are killed, files that are torn, disks that are full
//! * `view`     – what a screen shows, as JSON
//!
//! Nothing here knows a rule of the domain: what is right is said by the scenarios and the tests.

pub mod commune;
pub mod crash;
pub mod examiner;
pub mod failure;
pub mod fault;
pub mod measure;
pub mod network;
pub mod phone;
pub mod recorder;
pub mod recording;
mod relay;
pub mod scenario;
pub mod server;
pub mod view;

pub use failure::Failure;
