//! Bytes against what reads questions, rosters, releases and tables.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::decoders(data));
