//! A packed file's report is that of the program in it, and tells how it was packed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use miyaburi_model::{Endpoint, EndpointRole, Level, Report, Verdict};
use miyaburi_pipeline::{Options, analyze};
use sha2::{Digest, Sha256};

fn read(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

fn report(bytes: &[u8]) -> Report {
    analyze(bytes, "file", &Options { time_limit: None, ..Options::default() })
}

/// The report without what tells of the file itself.
fn findings(report: &Report) -> Report {
    Report { sample: Default::default(), ..report.clone() }
}

#[test]
fn findings_are_those_of_the_program_within() {
    let original = read("specimens/examples/x86-gcc-tiny.switch_dispatch-O2.modules");
    let mut packed = read("specimens/packed/x86.nrv2d.upx-3.96");
    let (plain, found) = (report(&original), report(&packed));
    assert_eq!(plain.verdict, Verdict::Config);
    assert_eq!(findings(&found), findings(&plain));
    assert_eq!(found.sample.size, Some(packed.len() as u64));
    assert_eq!(found.sample.sha256.unwrap().to_string(), hex::encode(Sha256::digest(&packed)));
    let packer = found.sample.packer.unwrap();
    assert_eq!(packer.name, "upx");
    assert_eq!(packer.version.as_deref(), Some("3.96"));
    assert_eq!(packer.method.as_deref(), Some("nrv2d"));
    assert_eq!(packer.filter.as_deref(), Some("0x49"));
    assert!(packer.repaired.is_empty());
    let sha256 = hex::encode(Sha256::digest(&original));
    assert_eq!(packer.unpacked_sha256.unwrap().to_string(), sha256);

    // l_magic stands 20 bytes before the first block at 0xac, p_filesize 8 bytes before it.
    packed[0x98..0x9c].fill(0);
    packed[0xa4..0xa8].fill(0);
    let damaged = report(&packed);
    assert_eq!(findings(&damaged), findings(&plain));
    let packer = damaged.sample.packer.unwrap();
    assert_eq!(packer.repaired, ["l_magic", "p_filesize"]);
    assert_eq!(packer.unpacked_sha256.unwrap().to_string(), sha256);
}

#[test]
fn what_is_beyond_repair_is_taken_from_memory() {
    let original = read("specimens/examples/x86-gcc-tiny.switch_dispatch-O2.modules");
    let mut packed = read("specimens/packed/x86.nrv2d.upx-3.96");
    // The filter in the first block's header at 0xac, which the stub leaves out.
    packed[0xac + 9..0xac + 12].copy_from_slice(&[1, 2, 3]);
    let (plain, found) = (report(&original), report(&packed));
    assert_eq!(findings(&found), findings(&plain));
    let packer = found.sample.packer.unwrap();
    assert_eq!((packer.name.as_str(), packer.version.as_deref()), ("upx", Some("3.96")));
    assert_eq!(packer.repaired, ["stub_run"]);
    assert_eq!((packer.method, packer.filter), (None, None));
    assert!(packer.unpacked_sha256.is_some());

    // Nothing names the packer any more.
    for at in 0..packed.len() - 3 {
        if &packed[at..at + 3] == b"UPX" {
            packed[at..at + 3].fill(b'.');
        }
    }
    let found = report(&packed);
    assert_eq!(findings(&found), findings(&plain));
    let packer = found.sample.packer.unwrap();
    assert_eq!((packer.name.as_str(), packer.version), ("unknown", None));
}

#[test]
fn stubs_of_packers_that_are_not_known_are_run() {
    for (packed, original) in [
        ("armv5.xor", "armv5-gcc-tiny.classic-O0.single"),
        ("mips-be.xor", "mips-be-gcc-tiny.immediate-O0.modules"),
        ("x86_64.xor", "x86_64-gcc-tiny.no_scanner-O1.modules"),
        ("aarch64.xor", "aarch64-gcc-tiny.plain_c2-O1.single"),
    ] {
        let plain = report(&read(&format!("specimens/examples/{original}")));
        let found = report(&read(&format!("specimens/packed/{packed}")));
        assert_eq!(found.sample.packer.as_ref().unwrap().name, "unknown", "{packed}");
        assert_eq!(found.verdict, plain.verdict, "{packed}");
        let hashes = |report: &Report| {
            let table = report.string_table.as_ref().and_then(|it| it.sha256.clone());
            (table, report.credentials.as_ref().and_then(|it| it.sha256.clone()))
        };
        assert_eq!(hashes(&found), hashes(&plain), "{packed}");
        let servers = |report: &Report| -> Vec<(String, Option<u16>, EndpointRole)> {
            let of = |it: &Endpoint| (it.host.to_string(), it.port, it.role);
            report.endpoints.iter().map(of).collect()
        };
        assert_eq!(servers(&found), servers(&plain), "{packed}");
        let vectors = |report: &Report| -> Vec<_> {
            report
                .attacks
                .iter()
                .map(|it| (it.vector, it.kind.clone(), it.options.clone()))
                .collect()
        };
        assert_eq!(vectors(&found), vectors(&plain), "{packed}");
    }
}

#[test]
fn programs_in_mapped_memory_and_in_files_of_memory_are_found() {
    for (cpu, original) in [
        ("armv5", "armv5-gcc-tiny.classic-O0.single"),
        ("mips-be", "mips-be-gcc-tiny.immediate-O0.modules"),
        ("x86_64", "x86_64-gcc-tiny.no_scanner-O1.modules"),
        ("aarch64", "aarch64-gcc-tiny.plain_c2-O1.single"),
    ] {
        let original = read(&format!("specimens/examples/{original}"));
        let plain = report(&original);
        for kind in ["lz", "lzma", "memfd"] {
            let found = report(&read(&format!("specimens/packed/{cpu}.{kind}")));
            assert_eq!(findings(&found), findings(&plain), "{cpu}.{kind}");
            let packer = found.sample.packer.unwrap();
            assert_eq!((packer.name.as_str(), packer.version), ("unknown", None));
            let is_whole = packer.unpacked_sha256.unwrap().to_string()
                == hex::encode(Sha256::digest(&original));
            // Section headers lie in no memory, but in a file.
            assert_eq!(is_whole, kind == "memfd", "{cpu}.{kind}");
        }
    }
}

#[test]
fn a_packed_program_that_was_packed_again_is_found() {
    let inner = read("specimens/packed/x86_64.lzma.upx-4.2.2");
    let once = report(&inner);
    let twice = report(&read("specimens/packed/x86_64.upx-in-memfd"));
    assert_eq!(findings(&twice), findings(&once));
    let packer = twice.sample.packer.unwrap();
    assert_eq!(packer.name, "unknown");
    let digest = hex::encode(Sha256::digest(&inner));
    assert_eq!(packer.unpacked_sha256.unwrap().to_string(), digest);
    assert_eq!(packer.inner.map(|inner| *inner), once.sample.packer);
}

#[test]
fn a_program_that_is_not_packed_has_no_packer() {
    let original = read("specimens/examples/x86-gcc-tiny.switch_dispatch-O2.modules");
    assert_eq!(report(&original).sample.packer, None);
}

#[test]
fn what_cannot_be_unpacked_has_failed_with_the_reason() {
    let mut packed = read("specimens/packed/mips-be.nrv2e.upx-3.96");
    // Within the block of the code, behind the first one.
    packed[0x400..0x600].fill(0xff);
    // Its stub does not come to the program either.
    let options = Options { max_instructions: 3_000_000, time_limit: None, ..Options::default() };
    let report = analyze(&packed, "file", &options);
    assert_eq!(report.verdict, Verdict::Failed);
    assert_eq!(report.sample.cpu.as_deref(), Some("mips-be-o32"));
    let packer = report.sample.packer.unwrap();
    assert_eq!((packer.name.as_str(), packer.unpacked_sha256), ("upx", None));
    assert_eq!(report.diagnostics.len(), 1);
    assert_eq!(report.diagnostics[0].stage, "unpack");
    assert_eq!(report.diagnostics[0].level, Level::Error);
}

#[test]
fn of_a_packed_file_that_was_cut_off_what_is_there_is_partial() {
    let plain = report(&read("specimens/examples/x86-gcc-tiny.switch_dispatch-O2.modules"));
    let packed = read("specimens/packed/x86.nrv2d.upx-3.96");
    let mut functions = Vec::new();
    for quarters in [2, 3] {
        let found = report(&packed[..packed.len() * quarters / 4]);
        assert_eq!(found.verdict, Verdict::Partial);
        let told = found.diagnostics.iter().find(|told| told.stage == "unpack").unwrap();
        assert_eq!(told.level, Level::Error);
        assert!(told.message.contains("only the beginning is there"));
        assert_eq!(found.sample.packer.as_ref().unwrap().name, "upx");
        let hosts = |report: &Report| -> Vec<_> {
            report.endpoints.iter().map(|endpoint: &Endpoint| endpoint.host.clone()).collect()
        };
        assert!(hosts(&found).iter().all(|host| hosts(&plain).contains(host)));
        functions.push(found.functions.len());
    }
    assert!(functions[0] <= functions[1] && functions[1] <= plain.functions.len());
}
