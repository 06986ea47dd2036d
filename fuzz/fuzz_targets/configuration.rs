#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nsci_fuzz::configuration(data));
