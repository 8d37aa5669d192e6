//! Any bytes as an Ion file: no panic, an end, and the items that ion-rs reads.
//!
//!     cargo +nightly fuzz run --fuzz-dir tests/fuzz ion target/fuzz/ion tests/data/ion/valid

#![no_main]

libfuzzer_sys::fuzz_target!(
    // A panic of ion-rs is caught; one of ours still ends the run.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| dynarrow_tests::ion::compare(bytes)
);
