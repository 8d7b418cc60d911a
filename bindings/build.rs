//! Has the linker keep what ships on phones small.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let found = |name: &str| env::var(name).unwrap_or_default();
    // The profile that ships is the one that is optimised for size.
    if found("OPT_LEVEL") != "s" {
        return;
    }
    // Most of OpenSSL's tables are pointers, each of which takes 24 bytes more to relocate in the older form.
    let packed = match found("CARGO_CFG_TARGET_OS").as_str() {
        "linux" => "-Wl,-z,pack-relative-relocs",
        "android" => "-Wl,--pack-dyn-relocs=android",
        _ => return,
    };
    println!("cargo:rustc-cdylib-link-arg={packed}");
}
