//! Compiles the interface to the reference implementation against the headers that its crate holds.

use std::path::PathBuf;

fn main() {
    // `cxx-build` exports where it linked the crate's sources to.
    let bridge =
        std::env::var_os("DEP_SLA_CXXBRIDGE_DIR1").expect("libsla-sys exports its headers");
    let headers = PathBuf::from(bridge)
        .join("libsla-sys/ghidra/Ghidra/Features/Decompiler/src/decompile/cpp");
    cc::Build::new()
        .cpp(true)
        .std("c++11")
        .warnings(false)
        .include(headers)
        .file("src/reference.cc")
        .compile("reference");
    println!("cargo:rerun-if-changed=src/reference.cc");
}
