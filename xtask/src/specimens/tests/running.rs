//! Programs under a cipher decode what was coded for them: run in the emulator, with no outside, they
//! print their message.

use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::Image;
use miyaburi_linux::{Process, Setup};
use rayon::prelude::*;

use super::committed::archived;
use crate::{
    specimens::{
        COMMITTED_SEED,
        configuration::Configuration,
        entries::Value,
        fork::Fork,
        plan::{self, Specimen},
    },
    toolchain::{Libc, Target, Toolchain},
};

const LIMITS: Limits = Limits { instructions: 200_000_000, depth: 10_000, ..Limits::DEFAULT };

/// Pages of 4 KiB.
const PAGES: usize = 16_384;

/// What a program prints that is started by `name`.
fn printed(file: &[u8], name: &str) -> Vec<u8> {
    let image = Image::parse(file).unwrap();
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let abi = Abi::new(image.arch(), &*language).unwrap();
    let mut emulator = Emulator::new(&image, &*language, abi);
    let setup = Setup { arguments: vec![name.as_bytes().to_vec()], ..Setup::default() };
    let mut process = Process::start(&emulator, &*language, &image, file, &setup, PAGES).unwrap();
    process.run(&mut emulator, &LIMITS);
    process.kernel.written(1).to_vec()
}

fn message(configuration: &Configuration) -> String {
    let entry = configuration.entries.iter().find(|entry| entry.name == "EXECUTION_MESSAGE");
    match &entry.unwrap().value {
        Value::Text(text) => format!("{text}\n"),
        other => panic!("{other:?}"),
    }
}

/// Whether programs of this toolchain come as far as their `main`.
fn starts(toolchain: Toolchain) -> bool {
    // The distribution's glibc for SuperH was compiled with a fault of its compiler.
    (toolchain.target, toolchain.libc) != (Target::Sh4, Libc::Glibc)
}

#[test]
fn programs_under_a_cipher_decode_their_texts() {
    let archived = archived();
    let specimens: Vec<Specimen> = plan::all(&Toolchain::all())
        .into_iter()
        .filter(|specimen| Fork::CIPHERS.contains(&specimen.fork) && starts(specimen.toolchain))
        .collect();
    let wrong: Vec<String> = specimens
        .par_iter()
        .filter_map(|specimen| {
            let label = specimen.label();
            let configuration = Configuration::generate(specimen.fork, COMMITTED_SEED, &label);
            let printed = printed(&archived[&label], &configuration.own_name);
            (printed != message(&configuration).as_bytes()).then_some(label)
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    assert!(specimens.len() >= 14 * 12);
}
