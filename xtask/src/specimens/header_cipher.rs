//! The part of `config.h` that a cipher needs: its key, and the rows of the shapes that go with it.

use super::{
    ciphers::{Cipher, Form, PLAIN_ALPHABET},
    configuration::{Configuration, Credential, Shape},
    entries::Entry,
    header::{Header, literal},
};

/// Writes nothing for a table under one byte.
pub(super) fn write(header: &mut Header, configuration: &Configuration) {
    if configuration.cipher == Cipher::Xor {
        return;
    }
    key(header, &configuration.cipher);
    if !configuration.style.decode.is_empty() {
        header.define("STYLE_DECODE", configuration.style.decode);
    }
    match (&configuration.cipher, configuration.shape) {
        (Cipher::Stack, _) => stack(header, configuration),
        (_, Shape::OwnKeys) => own_keys(header, configuration),
        (_, Shape::Block) => block(header, configuration),
        _ => {}
    }
    let rows = configuration.credentials.iter().map(|pair| {
        let coded = |text: &str| {
            format!("{}, {}", literal(&configuration.coded_login(pair, text)), text.len())
        };
        format!("{}, {}, {}", coded(&pair.user), coded(&pair.password), pair.weight)
    });
    header.list("SIZED_CREDENTIALS", "LOGIN", rows);
}

fn key(header: &mut Header, cipher: &Cipher) {
    let name = match cipher {
        Cipher::Xor | Cipher::OwnKeys | Cipher::Stack => return,
        Cipher::XorCyclic { .. } => "CIPHER_XOR_CYCLIC",
        Cipher::Rc4 { form: Form::Plain, .. } => "CIPHER_RC4",
        Cipher::Rc4 { form: Form::Carried, .. } => "CIPHER_RC4_CARRIED",
        Cipher::Rc4 { form: Form::Passes(_), .. } => "CIPHER_RC4_PASSES",
        Cipher::Chacha20 { .. } => "CIPHER_CHACHA20",
        Cipher::Xtea { .. } => "CIPHER_XTEA",
        Cipher::Xxtea { .. } => "CIPHER_XXTEA",
        Cipher::Aes { .. } => "CIPHER_AES",
        Cipher::Substitution { .. } => "CIPHER_SUBSTITUTION",
        Cipher::Alphabet { .. } => "CIPHER_ALPHABET",
        Cipher::RotXor => "CIPHER_ROT_XOR",
        Cipher::Hex { .. } => "CIPHER_HEX",
    };
    header.define("CIPHER", name);
    let list = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte}, ")).collect::<String>();
    if let Some(key) = cipher.key_bytes() {
        header.define("CIPHER_KEY", list(key));
        header.define("CIPHER_KEY_LENGTH", key.len());
    }
    if let Some(nonce) = cipher.nonce() {
        header.define("CIPHER_NONCE", list(nonce));
    }
    match cipher {
        Cipher::Rc4 { form: Form::Passes(seed), .. } => {
            header.define("CIPHER_LCG_SEED", format!("0x{seed:08x}u"));
        }
        Cipher::Xtea { delta, .. } => header.define("CIPHER_DELTA", format!("0x{delta:08x}u")),
        Cipher::Alphabet { coded } => {
            header.define("CIPHER_CODED_ALPHABET", literal(coded));
            header.define("CIPHER_PLAIN_ALPHABET", literal(PLAIN_ALPHABET));
        }
        Cipher::Hex { slot } => header.define("SLOT_LENGTH", slot),
        _ => {}
    }
}

/// Steps of four bytes that build a text, zeros behind it.
fn steps(text: &[u8]) -> String {
    let mut padded = text.to_vec();
    padded.resize(text.len().next_multiple_of(4), 0);
    (0..)
        .step_by(4)
        .zip(padded.chunks_exact(4))
        .map(|(at, bytes)| {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
            format!("BUILD_STEP(TEXT, {at}, {}) ", bytes.join(", "))
        })
        .collect()
}

fn stack(header: &mut Header, configuration: &Configuration) {
    header.define("STYLE_STACK", configuration.style.stack);
    for entry in &configuration.entries {
        header.define(&format!("BUILD_{}(TEXT)", entry.name), steps(&entry.value.bytes()));
    }
    let with_end = |text: &str| steps(&text.bytes().chain([0]).collect::<Vec<u8>>());
    for (index, pair) in configuration.credentials.iter().enumerate() {
        header.define(&format!("BUILD_USER_{index}(TEXT)"), with_end(&pair.user));
        header.define(&format!("BUILD_PASSWORD_{index}(TEXT)"), with_end(&pair.password));
    }
    let row = |(index, pair): (usize, &Credential)| {
        format!("BUILD_USER_{index}, BUILD_PASSWORD_{index}, {}", pair.weight)
    };
    let rows = configuration.credentials.iter().enumerate().map(row);
    header.list("STACK_CREDENTIALS", "LOGIN", rows);
}

fn own_keys(header: &mut Header, configuration: &Configuration) {
    let row = |entry: &Entry| {
        let coded = configuration.coded(entry);
        let key = entry.own_key.unwrap_or_default();
        format!("{}, {key}, {}, {}", entry.id, literal(&coded), coded.len())
    };
    header.list("KEYED_ENTRIES", "ENTRY", configuration.entries.iter().map(row));
    let row = |pair: &Credential| {
        let coded = |text: &str| literal(&configuration.coded_login(pair, text));
        let key = pair.own_key.unwrap_or_default();
        format!("{key}, {}, {}, {}", coded(&pair.user), coded(&pair.password), pair.weight)
    };
    header.list("KEYED_CREDENTIALS", "LOGIN", configuration.credentials.iter().map(row));
}

/// All texts at their offsets, coded as one.
fn block(header: &mut Header, configuration: &Configuration) {
    let mut block = Vec::new();
    for entry in &configuration.entries {
        block.resize(entry.id as usize, 0);
        block.extend(entry.value.bytes());
    }
    let coded = configuration.cipher.encode(&block, configuration.key);
    header.define("BLOCK_LENGTH", coded.len());
    header.define("BLOCK_BYTES", literal(&coded));
}
