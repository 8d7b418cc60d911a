#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| sotay_fuzz_targets::statement(input));
