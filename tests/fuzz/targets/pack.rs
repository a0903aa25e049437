//! See `harness/pack.rs`.
#![no_main]

use std::{path::PathBuf, sync::LazyLock};

/// A folder of this process, in memory where the system has one there.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = PathBuf::from("/dev/shm");
    let parent = if shared.is_dir() {
        shared
    } else {
        std::env::temp_dir()
    };
    parent.join(format!("keymuster-fuzz-{}", std::process::id()))
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    keymuster_fuzz::pack::run(&FOLDER, input);
});
