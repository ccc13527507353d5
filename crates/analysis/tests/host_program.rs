//! Programs built by the host's compiler at several levels; their symbols are the truth.
//!
//! Needs `cc` and `strip`, as linking Rust needs the former and its package brings the latter.
//! On hosts that are not x86-64 Linux the files are analysed as whatever they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use miyaburi_analysis::{Program, Value};
use miyaburi_image::{Address, Image, SymbolKind};
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = r#"
typedef void (*handler)(int);
volatile int sink;
static handler handlers[8];
static int count;
struct { const char *text; unsigned short length; } table[32];
__attribute__((noinline)) void *copy(char *to, const char *from, int size) {
    for (int i = 0; i < size; i++) to[i] = from[i];
    return to;
}
static char memory[4096];
__attribute__((noinline)) void *reserve(int size) { static int used; used += size; return memory + used; }
__attribute__((noinline)) void add_entry(int id, const char *text, int length) {
    table[id].text = copy(reserve(length), text, length);
    table[id].length = length;
    sink = id;
}
__attribute__((noinline)) void table_init(void) {
    add_entry(3, "first of them", 13);
    add_entry(9, "\x01\x02\x03\x04", 4);
    add_entry(27, "the last one", 12);
    sink = 1;
}
static void attack_a(int x) { sink = x * 3; }
static void attack_b(int x) { sink ^= x; count += sink; }
__attribute__((noinline)) void add_attack(int vector, handler attack) {
    handlers[count++ & 7] = attack;
    sink = vector;
}
__attribute__((noinline)) void attack_init(void) {
    add_attack(4, attack_a);
    add_attack(11, attack_b);
    sink = 2;
}
__attribute__((noinline)) int pick(int kind, int y) {
    switch (kind) {
    case 0: sink = 1; return y + 3;
    case 1: sink = 2; return y * y;
    case 2: sink += 3; return y - 9;
    case 3: sink ^= 4; return -y;
    case 4: sink = y; return y ^ 0x55;
    case 5: sink = 7; return y / 3;
    case 8: sink = 8; return y % 5;
    default: return 0;
    }
}
__attribute__((noinline)) int many(int a, int b, int c, int d, int e, int f, int g, int h) {
    return a - b + c - d + e - f + g - h + sink;
}
int main(int argc, char **argv) {
    table_init();
    attack_init();
    int r = pick(argc, 5) + many(1, 2, 3, 4, 5, 6, 7, 8);
    handlers[argc & 7](r);
    return r + many(11, 12, 13, 14, 15, 16, 17, 18);
}
"#;

/// Builds the program at a level; yields the file with its symbols and the one without.
fn build(folder: &Path, level: &str) -> (PathBuf, PathBuf) {
    let source = folder.join("program.c");
    std::fs::write(&source, SOURCE).unwrap();
    let (full, stripped) = (folder.join("full"), folder.join("stripped"));
    // Position independence puts code where its addresses look like small numbers.
    let arguments =
        [level, "-no-pie", "-fno-pie", "-fno-ipa-cp", "-fno-ipa-sra", "-fno-ipa-ra", "-w"];
    let compiled =
        Command::new("cc").args(arguments).arg("-o").arg(&full).arg(&source).status().unwrap();
    assert!(compiled.success(), "cc {level}");
    let status = Command::new("strip").arg("-o").arg(&stripped).arg(&full).status().unwrap();
    assert!(status.success(), "strip");
    (full, stripped)
}

fn check(level: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (full, stripped) = build(folder.path(), level);
    let full = Image::parse(&std::fs::read(full).unwrap()).unwrap();
    let image = Image::parse(&std::fs::read(stripped).unwrap()).unwrap();
    assert!(image.symbols().iter().all(|symbol| symbol.name != "pick"), "stripped");
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let program = Program::analyze(&image, language.as_ref()).unwrap();

    let known: Vec<(Address, &str)> = full
        .symbols()
        .iter()
        .filter(|symbol| symbol.kind == SymbolKind::Function && symbol.size > 0)
        .map(|symbol| (symbol.address, symbol.name.as_str()))
        .collect();
    for (address, name) in &known {
        assert!(program.function_at(*address).is_some(), "{level}: {name} at {address}");
    }
    let named = |address: Address| full.symbols().iter().any(|symbol| symbol.address == address);
    for function in program.functions() {
        let is_stub = function.instruction_count() <= 4;
        assert!(
            is_stub || named(function.entry),
            "{level}: {:?} {}",
            function.origin,
            function.entry
        );
    }
    check_calls(level, &full, &image, &program);
}

fn check_calls(level: &str, full: &Image, image: &Image, program: &Program<'_>) {
    let address = |name: &str| full.symbol_named(name).unwrap_or_else(|| panic!("{name}")).address;
    let arguments = |name: &str, count: usize| -> Vec<Vec<Value>> {
        let callee = program.function_at(address(name)).unwrap();
        let mut sites: Vec<_> = program.callers(callee).collect();
        sites.sort_by_key(|site| site.address);
        let of = |site: &miyaburi_analysis::CallSite| {
            let values = program.values(site.caller).unwrap();
            (0..count).map(|index| values.argument(site.address, index)).collect()
        };
        sites.into_iter().map(of).collect()
    };
    let entries = arguments("add_entry", 3);
    let expected: [(u64, &[u8]); 3] =
        [(3, b"first of them"), (9, b"\x01\x02\x03\x04"), (27, b"the last one")];
    assert_eq!(entries.len(), 3, "{level}");
    for (found, (id, text)) in entries.iter().zip(expected) {
        assert_eq!(found[0], Value::Constant(id), "{level}");
        assert_eq!(found[2], Value::Constant(text.len() as u64), "{level}");
        let at = found[1].address().unwrap_or_else(|| panic!("{level}: {:?}", found[1]));
        assert_eq!(image.read(at, text.len() as u64).as_deref(), Some(text), "{level}");
    }
    let attacks = arguments("add_attack", 2);
    assert_eq!(
        attacks,
        [
            [Value::Constant(4), Value::Constant(address("attack_a").0)],
            [Value::Constant(11), Value::Constant(address("attack_b").0)],
        ],
        "{level}"
    );
    let many = arguments("many", 8);
    let numbers = |first: u64| (first..first + 8).map(Value::Constant).collect::<Vec<_>>();
    assert_eq!(many, [numbers(1), numbers(11)], "{level}");
    let pick = program.function(program.function_at(address("pick")).unwrap()).unwrap();
    let unknown =
        pick.blocks().iter().filter(|block| block.exit == miyaburi_analysis::Exit::Unknown);
    assert_eq!(unknown.count(), 0, "{level}: the switch");
}

#[test]
fn functions_calls_and_arguments_of_compiled_programs() {
    for level in ["-O0", "-O1", "-O2", "-O3", "-Os"] {
        check(level);
    }
}
