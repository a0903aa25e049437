//! See `harness/delta.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    keymuster_fuzz::delta::run(input);
});
