//! A node against its coordinator.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| koonti_fuzz::node_session(data));
