//! Values of the benign programs that look like a part of the family.

use std::fmt::Write as _;

use super::{
    fork::Fork,
    header::literal,
    random::Random,
    values::{self, Hosts, folded},
};

/// The sources of a look-alike, below `specimens/src`.
pub(super) fn sources(fork: Fork) -> &'static [&'static str] {
    match fork {
        Fork::LookalikePasswords => &["lookalike/passwords.c"],
        Fork::LookalikeConnect => &["bot/inert.c", "lookalike/connect.c"],
        _ => &["lookalike/messages.c"],
    }
}

/// The text of `config.h` of a look-alike.
pub(super) fn config_header(fork: Fork, seed: u64, label: &str) -> String {
    let mut random = Random::new(seed, label);
    let key = values::key(&mut random, &[]);
    let mut header = format!(
        "/* Generated. */\n#define STYLE_LINKAGE LINKAGE_STATIC\n#define TEXT_KEY 0x{key:08x}u\n\
         #define TEXT_KEY_FOLDED 0x{:02x}\n",
        folded(key)
    );
    match fork {
        Fork::LookalikePasswords => header.push_str(&passwords(&mut random, key)),
        Fork::LookalikeConnect => header.push_str(&station(&mut random)),
        _ => header.push_str(&messages(&mut random, key)),
    }
    header
}

/// What a heating controller says.
const MESSAGES: [&str; 40] = [
    "Heating off",
    "Heating on",
    "Frost protection",
    "Set point reached",
    "Set point raised",
    "Set point lowered",
    "Sensor missing",
    "Sensor short circuit",
    "Valve opening",
    "Valve closing",
    "Valve blocked",
    "Pump running",
    "Pump idle",
    "Pump overload",
    "Burner lockout",
    "Flame lost",
    "Ignition attempt",
    "Flow temperature",
    "Return temperature",
    "Outside temperature",
    "Room temperature",
    "Holiday programme",
    "Party programme",
    "Night setback",
    "Water tank charged",
    "Water tank low",
    "Legionella cycle",
    "Calibration done",
    "Calibration failed",
    "Battery low",
    "Radio link lost",
    "Radio link restored",
    "Window open",
    "Window closed",
    "Service due",
    "Filter due",
    "Clock not set",
    "Daylight saving",
    "Memory check passed",
    "Memory check failed",
];

fn messages(random: &mut Random, key: u32) -> String {
    let chosen = random.sample(&MESSAGES, 34);
    let rows: Vec<String> = (1..)
        .zip(chosen)
        .map(|(id, text)| {
            let coded: Vec<u8> = text.bytes().chain([0]).map(|byte| byte ^ folded(key)).collect();
            format!("    MESSAGE({id}, {}, {})", literal(&coded), coded.len())
        })
        .collect();
    format!("#define MESSAGES(MESSAGE) \\\n{}\n", rows.join(" \\\n"))
}

fn passwords(random: &mut Random, key: u32) -> String {
    let forbidden = folded(key);
    let rows: Vec<String> = values::credentials(random, 40, forbidden)
        .into_iter()
        .map(|(user, password)| {
            let coded = |text: &str| {
                literal(&text.bytes().map(|byte| byte ^ forbidden).collect::<Vec<u8>>())
            };
            let strength = random.between(1, 5);
            format!("    WEAK({}, {}, {strength})", coded(&user), coded(&password))
        })
        .collect();
    format!("#define WEAK_PASSWORDS(WEAK) \\\n{}\n", rows.join(" \\\n"))
}

fn station(random: &mut Random) -> String {
    let mut header = String::new();
    let address = Hosts::default().address(random);
    for (index, octet) in (1..).zip(address.octets()) {
        // Writing to a String cannot fail.
        let _ = writeln!(header, "#define STATION_{index} {octet}");
    }
    let _ = writeln!(header, "#define STATION_PORT {}", values::port(random));
    header
}
