//! The coordinator against its nodes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::coordinator_round(data));
