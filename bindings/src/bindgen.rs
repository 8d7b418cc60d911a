//! Generates the foreign-language sources: `sotay-bindgen generate --library <path> --language kotlin --out-dir <folder>`.

fn main() {
    uniffi::uniffi_bindgen_main();
}
