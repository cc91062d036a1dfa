//! Bytes against the doors of the wire.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::doors(data));
