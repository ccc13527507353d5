//! Names of functions, addresses and CPUs as Ghidra and mirai-toushi spell them.

use std::collections::BTreeMap;

use miyaburi_model::{Endian, EndpointRole, Evidence, Report, Sample, VirtualAddress};

use super::Function;

/// Names that the leaked source gave the handlers of the attack kinds.
const HANDLERS: [(&str, &str); 10] = [
    ("udp", "attack_udp_generic"),
    ("vse", "attack_udp_vse"),
    ("dns_query", "attack_udp_dns"),
    ("udp_plain", "attack_udp_plain"),
    ("syn", "attack_tcp_syn"),
    ("ack", "attack_tcp_ack"),
    ("tcp_stomp", "attack_tcp_stomp"),
    ("gre_ip", "attack_gre_ip"),
    ("gre_eth", "attack_gre_eth"),
    ("http", "attack_app_http"),
];

/// Which function has which role.
pub(super) struct Names<'a> {
    by_address: BTreeMap<VirtualAddress, &'a str>,
    by_role: BTreeMap<&'a str, VirtualAddress>,
}

impl<'a> Names<'a> {
    /// The functions that the report names. Those it does not name follow from what they do: the
    /// one that adds all entries, pairs or vectors initialises them, the one that the first C2 was
    /// seen in resolves it, a handler is called after what it sends.
    pub(super) fn new(report: &'a Report) -> Self {
        let mut names = Self { by_address: BTreeMap::new(), by_role: BTreeMap::new() };
        for function in &report.functions {
            names.add(&function.role, Some(function.address));
        }
        let entries = report.string_table.iter().flat_map(|table| &table.entries);
        names.add("table_init", only_function(entries.map(|entry| &*entry.evidence)));
        let pairs = report.credentials.iter().flat_map(|credentials| &credentials.entries);
        names.add("scanner_init", only_function(pairs.map(|pair| &*pair.evidence)));
        let vectors = report.attacks.iter();
        names.add("attack_init", only_function(vectors.map(|attack| &*attack.evidence)));
        let servers = report.endpoints.iter().filter(|server| server.role == EndpointRole::C2);
        let first = servers.min_by_key(|server| server.order.unwrap_or(u32::MAX));
        names.add("resolve_cnc_addr", first.and_then(|server| function_of(&server.evidence)));
        for attack in &report.attacks {
            let known = HANDLERS.iter().find(|(kind, _)| attack.kind.as_deref() == Some(kind));
            if let Some((_, name)) = known {
                names.add(name, Some(attack.handler));
            }
        }
        names
    }

    /// The first role of a function and the first function of a role count.
    fn add(&mut self, role: &'a str, address: Option<VirtualAddress>) {
        if let Some(address) = address {
            self.by_role.entry(role).or_insert(address);
            self.by_address.entry(address).or_insert(role);
        }
    }

    pub(super) fn has(&self, role: &str) -> bool {
        self.by_role.contains_key(role)
    }

    /// The function of a role, without an address when it is not known.
    pub(super) fn function(&self, role: &str) -> Function {
        let entrypoint = self.by_role.get(role).copied().map(place);
        Function { name: role.to_owned(), entrypoint }
    }

    /// The name of the function at an address.
    pub(super) fn of(&self, address: VirtualAddress) -> String {
        let role = self.by_address.get(&address).map(|role| (*role).to_owned());
        role.unwrap_or_else(|| format!("FUN_{}", place(address)))
    }
}

/// The function that every item was read from; none when they come from several.
fn only_function<'a>(items: impl Iterator<Item = &'a [Evidence]>) -> Option<VirtualAddress> {
    let mut functions = items.map(function_of);
    let first = functions.next()??;
    functions.all(|function| function == Some(first)).then_some(first)
}

fn function_of(evidence: &[Evidence]) -> Option<VirtualAddress> {
    evidence.iter().find_map(|evidence| evidence.function)
}

/// An address as Ghidra prints it: hexadecimal, at least eight digits, no prefix.
pub(super) fn place(address: VirtualAddress) -> String {
    format!("{:08x}", address.0)
}

/// Ghidra's identifier of the language that mirai-toushi chooses for a CPU; outside its list, the
/// one that Ghidra chooses. ColdFire stands for all of m68k there.
pub(super) fn language_id(sample: &Sample) -> Option<&'static str> {
    Some(match (sample.arch.as_deref()?, sample.endian?) {
        ("arm", Endian::Little) => "ARM:LE:32:v8",
        ("arm", Endian::Big) => "ARM:BE:32:v8",
        ("aarch64", Endian::Little) => "AARCH64:LE:64:v8A",
        ("m68k", Endian::Big) => "68000:BE:32:Coldfire",
        ("mips", Endian::Little) => "MIPS:LE:32:default",
        ("mips", Endian::Big) => "MIPS:BE:32:default",
        ("powerpc", Endian::Big) => "PowerPC:BE:32:default",
        ("riscv", Endian::Little) => "RISCV:LE:64:RV64GC",
        ("sparc", Endian::Big) => "sparc:BE:32:default",
        ("superh", Endian::Little) => "SuperH4:LE:32:default",
        ("x86", Endian::Little) => "x86:LE:32:default",
        ("x86_64", Endian::Little) => "x86:LE:64:default",
        _ => return None,
    })
}
