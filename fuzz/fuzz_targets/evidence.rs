//! Bytes against what reads logs and bundles, and as changes to a whole region's bundle.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::evidence(data));
