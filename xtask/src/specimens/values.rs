//! What goes into configurations: reserved hosts and addresses, keys, credentials.
//!
//! Hosts come from RFC 2606, addresses from RFC 5737 and RFC 3849: nobody's machine is named.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::random::Random;

/// The documentation networks of RFC 5737, all /24.
pub(super) const DOCUMENTATION_NETWORKS: [[u8; 3]; 3] =
    [[192, 0, 2], [198, 51, 100], [203, 0, 113]];

/// Endings of the names of RFC 2606.
pub(super) const RESERVED_ENDINGS: [&str; 6] =
    [".example.com", ".example.net", ".example.org", ".example", ".test", ".invalid"];

/// Table keys that public write-ups name, all as 32-bit words whose four bytes act as their XOR.
const KEYS_OF_THE_FIELD: [u32; 11] = [
    0xdeadbeef, 0xdedefbaf, 0x1337c0d3, 0xdf7ecadf, 0xbaadf00d, 0xdeacfbef, 0xdedeffba, 0xdfdaacfd,
    0xdeaddaad, 0xcafebabe, 0xdedefb4f,
];

/// The single byte that a key's four bytes amount to.
pub(super) fn folded(key: u32) -> u8 {
    key.to_be_bytes().into_iter().fold(0, |all, byte| all ^ byte)
}

/// A key whose folded byte is neither zero nor one of `taken`: one of the field's, or any.
pub(super) fn key(random: &mut Random, taken: &[u8]) -> u32 {
    loop {
        let key = if random.one_in(3) { random.word() } else { *random.pick(&KEYS_OF_THE_FIELD) };
        if folded(key) != 0 && !taken.contains(&folded(key)) {
            return key;
        }
    }
}

/// Draws hosts and addresses without repeating one.
#[derive(Default)]
pub(super) struct Hosts {
    addresses: Vec<Ipv4Addr>,
    names: Vec<String>,
}

impl Hosts {
    /// A documentation address that was not drawn before.
    pub(super) fn address(&mut self, random: &mut Random) -> Ipv4Addr {
        loop {
            let [a, b, c] = *random.pick(&DOCUMENTATION_NETWORKS);
            let address = Ipv4Addr::new(a, b, c, random.between(1, 254) as u8);
            if !self.addresses.contains(&address) {
                self.addresses.push(address);
                return address;
            }
        }
    }

    /// A reserved name that was not drawn before.
    pub(super) fn name(&mut self, random: &mut Random, first_labels: &[&str]) -> String {
        const MIDDLE: [&str; 14] = [
            "amber", "basalt", "cedar", "drift", "ember", "fjord", "gravel", "harbor", "indigo",
            "juniper", "kelp", "lagoon", "meadow", "nickel",
        ];
        loop {
            let mut name = (*random.pick(first_labels)).to_owned();
            if random.one_in(2) {
                name.push_str(&random.below(100).to_string());
            }
            name.push('.');
            name.push_str(random.pick::<&str>(&MIDDLE));
            name.push_str(random.pick::<&str>(&RESERVED_ENDINGS));
            if !self.names.contains(&name) {
                self.names.push(name.clone());
                return name;
            }
        }
    }
}

/// An address of the documentation prefix 2001:db8::/32.
pub(super) fn ipv6_address(random: &mut Random) -> Ipv6Addr {
    let mut group = || random.below(0x10000) as u16;
    Ipv6Addr::new(0x2001, 0xdb8, group(), 0, 0, 0, group(), group())
}

/// A port for a C2 or a receiver.
pub(super) fn port(random: &mut Random) -> u16 {
    const OF_THE_FIELD: [u16; 9] = [23, 666, 1312, 1791, 3778, 5555, 6969, 9506, 48101];
    if random.one_in(2) { *random.pick(&OF_THE_FIELD) } else { random.between(1024, 65000) as u16 }
}

/// User names and passwords of the kind that devices were shipped with.
const USERS: [&str; 12] = [
    "root",
    "admin",
    "support",
    "user",
    "guest",
    "service",
    "supervisor",
    "tech",
    "operator",
    "Administrator",
    "default",
    "ubnt",
];
const PASSWORDS: [&str; 40] = [
    "",
    "root",
    "admin",
    "123456",
    "12345",
    "54321",
    "password",
    "1234",
    "1111",
    "666666",
    "888888",
    "pass",
    "default",
    "user",
    "support",
    "guest",
    "system",
    "dreambox",
    "realtek",
    "00000000",
    "1111111",
    "admin1234",
    "smcadmin",
    "meinsm",
    "ikwb",
    "service",
    "supervisor",
    "xc3511",
    "vizxv",
    "juantech",
    "anko",
    "zlxx.",
    "7ujMko0vizxv",
    "hi3518",
    "jvbzd",
    "klv123",
    "Zte521",
    "xmhdipc",
    "tech",
    "ubnt",
];

/// `count` different pairs, none of which contains `forbidden`: coded with it, a text would end
/// early.
pub(super) fn credentials(
    random: &mut Random,
    count: usize,
    forbidden: u8,
) -> Vec<(String, String)> {
    let fits = |text: &str| !text.bytes().any(|byte| byte == forbidden);
    let mut pairs: Vec<(String, String)> = Vec::new();
    while pairs.len() < count {
        let user = (*random.pick(&USERS)).to_owned();
        let password = if random.one_in(8) {
            random_word(random, 5, 9)
        } else {
            (*random.pick(&PASSWORDS)).to_owned()
        };
        let pair = (user, password);
        if fits(&pair.0) && fits(&pair.1) && !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
}

/// A word of lower-case letters and digits.
pub(super) fn random_word(random: &mut Random, shortest: u32, longest: u32) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let length = random.between(shortest, longest);
    (0..length).map(|_| char::from(*random.pick(LETTERS))).collect()
}
