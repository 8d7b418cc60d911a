//! What is done with foreign bytes, one function for each parser: `fuzz/` runs them with inputs that the fuzzer makes up, `tests/corpus.rs`
//! with those that were kept.
//!
//! A target panics where a parser breaks a promise: it never panics itself, what it reads it writes again to the same meaning, one
//! meaning has one spelling where that is promised, what is refused changes nothing, and nothing takes more memory or time than the
//! input is worth (the fuzzer's own limits).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a target fails by panicking"
)]

mod determinism;
mod files;
mod http;
mod imports;
mod memory_disk;
mod messages;
mod phone;
mod records;
mod rules;
pub mod seeds;
mod texts;

/// The model's own commune for tests.
#[path = "../../../core/model/tests/common/mod.rs"]
mod commune;

/// What is done with the bytes that one parser reads.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its program in `fuzz/` and of its folder in `fuzz/corpus/`.
    pub name: &'static str,
    /// Does it; panics where a promise is broken.
    pub run: fn(&[u8]),
    /// The longest input worth trying.
    pub longest: usize,
}

macro_rules! targets {
    ($( $module:ident :: $name:ident, $longest:literal; )*) => {
        $( pub use $module::$name; )*

        /// All of them.
        pub const TARGETS: &[Target] = &[
            $( Target { name: stringify!($name), run: $module::$name, longest: $longest }, )*
        ];
    };
}

targets! {
    messages::message_shape, 4096;
    messages::sync_response, 4096;
    messages::sync_request, 4096;
    messages::enrolment_message, 2048;
    messages::receipt, 1024;
    messages::audit, 1024;
    phone::sync_response_applied, 4096;
    records::record, 4096;
    rules::mutation, 4096;
    texts::invitation, 400;
    texts::deep_link, 300;
    texts::code, 64;
    texts::board_link, 400;
    texts::identifier, 200;
    texts::free_text, 1024;
    http::signature, 1024;
    http::nonce, 256;
    http::blob_request, 512;
    http::header, 128;
    http::packed_request, 4096;
    http::packed_response, 4096;
    http::wake_stream, 512;
    http::anchors, 4096;
    http::session, 512;
    http::statement, 2048;
    files::journal, 4096;
    files::keys_file, 1024;
    files::blob_file, 4096;
    imports::import_csv, 2048;
    imports::import_xlsx, 16384;
    imports::configuration, 2048;
}

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
