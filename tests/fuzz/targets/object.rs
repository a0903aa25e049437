//! See `harness/object.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    keymuster_fuzz::object::run(input);
});
