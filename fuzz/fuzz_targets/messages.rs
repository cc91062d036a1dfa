//! Bytes against the parsers of a round.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::messages(data));
