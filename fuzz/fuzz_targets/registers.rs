//! Bytes against what reads registers and mappings.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::registers(data));
