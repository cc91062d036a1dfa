//! Bytes against what reads journals and extracts.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::disk(data));
