//! What the extractors found, in the terms of the report.

use crate::findings::Findings;
use crate::routines;
use miyaburi_analysis::{AnalysisDiagnostic, Program};
use miyaburi_emulator::SocketCall;
use miyaburi_extractors::attacks::Registry;
use miyaburi_extractors::attacks::dispatch::{Dispatcher, Order};
use miyaburi_extractors::credentials::CredentialList;
use miyaburi_extractors::endpoints::consumers::references_to;
use miyaburi_extractors::endpoints::external::{External, Outside};
use miyaburi_extractors::endpoints::socket_calls::Handover;
use miyaburi_extractors::endpoints::{self, Role, Source};
use miyaburi_extractors::exploits;
use miyaburi_extractors::loose_strings::{self, Source as StringSource};
use miyaburi_extractors::probes::Probes;
use miyaburi_extractors::roles::Purpose;
use miyaburi_extractors::string_table::{self, Table};
use miyaburi_extractors::xor;
use miyaburi_image::Address;
use miyaburi_model::{
    Attack, Cipher, Confidence, Credential, Credentials, Diagnostic, Endpoint, EndpointRole,
    EntryRole, EntryValue, Evidence, Exploit, ExternalSource, Family, FieldValue, Key, Level,
    LooseString, Method, Probe, Protocol, Reference, Report, Scan, SourceKind, StringTable,
    TableEntry, Verdict, VirtualAddress, credentials_sha256, printable, string_table_sha256,
};

/// Signs of the family (table, credentials, vectors, C2) that must come together before any of
/// them is reported: each alone is also found in benign programs.
const SIGNS_OF_FAMILY: usize = 2;

fn at(address: Address) -> VirtualAddress {
    VirtualAddress(address.0)
}

/// Adds findings to a report that holds only the sample so far.
pub(crate) fn add(report: &mut Report, program: &Program<'_>, findings: &Findings<'_>) {
    let Findings { table, list, registry, contacts, cut, analysis_cut, .. } = findings;
    let endpoints = &contacts.endpoints;
    let has_c2 = endpoints.iter().any(|endpoint| endpoint.role == Role::C2);
    let signs = [table.is_some(), list.is_some(), registry.is_some(), has_c2];
    let signs = signs.into_iter().filter(|found| *found).count();
    let is_family = signs >= SIGNS_OF_FAMILY;
    let has_gap = program.diagnostics().iter().any(AnalysisDiagnostic::is_gap);
    let is_cut = cut.is_some() || analysis_cut.is_some();
    report.verdict = match (is_family, has_c2, is_cut) {
        (true, true, false) => Verdict::Config,
        (true, false, false) if contacts.external.is_some() => Verdict::ExternalC2,
        // Nothing in what was looked at, and not all was.
        (false, _, false) if !has_gap => Verdict::NoConfig,
        _ => Verdict::Partial,
    };
    if let Some(cut) = cut {
        report.diagnostics.push(Diagnostic::new("budget", Level::Warning, cut.to_string()));
    }
    if let Some(cut) = analysis_cut {
        report.diagnostics.push(Diagnostic::new("analysis", Level::Warning, cut.to_string()));
    }
    report.diagnostics.extend(
        program
            .diagnostics()
            .iter()
            .map(|doubt| Diagnostic::new("analysis", Level::Warning, doubt.to_string())),
    );
    if !is_family {
        return;
    }
    report.diagnostics.extend(findings.diagnostics.iter().map(|diagnostic| {
        let told = Diagnostic::new(diagnostic.stage, Level::Warning, diagnostic.message.clone());
        match diagnostic.at {
            Some(address) => told.at(at(address)),
            None => told,
        }
    }));
    if !has_c2 && contacts.external.is_none() {
        let message = "no C2 found, and no proof that it comes from outside the file";
        report.diagnostics.push(Diagnostic::new("endpoints", Level::Warning, message));
    }
    report.family = Some(family(signs, table.as_ref(), list.as_ref(), registry.as_ref()));
    report.string_table = table.as_ref().map(|table| table_of(table, findings));
    report.strings = strings_of(findings);
    report.credentials = list.as_ref().map(credentials_of);
    report.attacks = registry.iter().flat_map(attacks_of).collect();
    report.attacks.extend(findings.dispatcher.iter().flat_map(dispatched));
    report.endpoints = endpoints_of(program, endpoints);
    report.endpoints.extend(loaders_of(&findings.exploits));
    report.external = contacts.external.iter().map(external_of).collect();
    report.functions = routines::of(program, findings);
    report.data = routines::data_of(findings);
    report.scan = scan_of(&findings.exploits, findings.probes.as_ref());
}

fn external_of(external: &External) -> ExternalSource {
    let (source, note) = match external.source {
        Outside::Argument => (SourceKind::Argv, "a made-up argument was filled in here when run"),
    };
    ExternalSource {
        source,
        name: None,
        record: None,
        transform: None,
        evidence: vec![Evidence::new(at(external.site), Some(at(external.function)), note)],
    }
}

/// The hosts that binaries are fetched from, each URL once.
fn loaders_of(exploits: &[exploits::Exploit]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for exploit in exploits {
        let url = Some(exploit.loader.url.clone());
        let evidence =
            Evidence::new(at(exploit.at), exploit.function.map(at), "URL in an HTTP request");
        match endpoints.iter_mut().find(|known| known.url == url) {
            Some(known) => known.evidence.push(evidence),
            None => endpoints.push(Endpoint {
                host: exploit.loader.host.clone(),
                port: Some(exploit.loader.port),
                protocol: Some(Protocol::Tcp),
                url,
                role: EndpointRole::Loader,
                order: None,
                method: Method::String,
                confidence: Confidence::Medium,
                evidence: vec![evidence],
            }),
        }
    }
    endpoints
}

fn scan_of(exploits: &[exploits::Exploit], probes: Option<&Probes>) -> Option<Scan> {
    let exploits: Vec<Exploit> = exploits
        .iter()
        .map(|exploit| {
            let sent = Evidence::new(at(exploit.site), exploit.function.map(at), "sent from here");
            Exploit {
                port: exploit.port,
                method: Some(exploit.method.clone()),
                path: Some(exploit.path.clone()),
                body_hex: exploit.body.clone().into(),
                loader: Some(exploit.loader.url.clone()),
                evidence: vec![Evidence::new(at(exploit.at), None, "request"), sent],
            }
        })
        .collect();
    let ports = probes.map(|probes| probes.ports.as_slice()).unwrap_or_default();
    let probed = ports.iter().map(|port| Probe { port: port.port, weight: port.weight }).collect();
    let from_destination = probes.is_some_and(|probes| probes.sequence_is_destination);
    let sequence = from_destination.then(|| {
        let from = FieldValue::From { from: "ip.dst".to_owned() };
        ("tcp.seq".to_owned(), from.into())
    });
    let evidence = probes.map(|probes| {
        Evidence::new(at(probes.site), Some(at(probes.scanner)), "hands over the packet when run")
    });
    let scan = Scan {
        probes: probed,
        syn: sequence.into_iter().collect(),
        exploits,
        evidence: evidence.into_iter().collect(),
    };
    (probes.is_some() || !scan.exploits.is_empty()).then_some(scan)
}

/// The family, with the routines that gave it away.
fn family(
    signs: usize,
    table: Option<&Table<'_>>,
    list: Option<&CredentialList>,
    registry: Option<&Registry>,
) -> Family {
    let initialisers = [
        (table.map(|table| table.initialiser), "fills an encoded string table"),
        (list.map(|list| list.initialiser), "adds encoded credentials"),
        (registry.map(|registry| registry.initialiser), "registers numbered routines"),
    ];
    let evidence = initialisers
        .into_iter()
        .filter_map(|(address, note)| {
            let address = at(address?);
            Some(Evidence::new(address, Some(address), note))
        })
        .collect();
    let confidence = if signs > SIGNS_OF_FAMILY { Confidence::High } else { Confidence::Medium };
    Family { name: "mirai".to_owned(), confidence, evidence }
}

fn endpoints_of(program: &Program<'_>, endpoints: &[endpoints::Endpoint]) -> Vec<Endpoint> {
    let mut order = 0;
    endpoints
        .iter()
        .map(|endpoint| {
            let is_c2 = endpoint.role == Role::C2;
            order += u32::from(is_c2);
            let (method, note) = match endpoint.source {
                Source::Table { .. } => (Method::Table, "entry used here"),
                Source::Constant => (Method::Immediate, "constants used here"),
                Source::Computed => (Method::Emulation, "filled in here when run"),
            };
            // Two methods: the code names it, and a run has put it where the program connects to.
            let is_confirmed = endpoint.is_observed && endpoint.source != Source::Computed;
            let confidence = if is_confirmed { Confidence::High } else { Confidence::Medium };
            let role = match endpoint.role {
                Role::C2 => EndpointRole::C2,
                Role::ScanReceiver => EndpointRole::ScanReceiver,
                Role::Resolver => EndpointRole::Resolver,
                Role::Decoy => EndpointRole::Decoy,
                Role::SingleInstance => EndpointRole::SingleInstance,
                Role::Unknown => EndpointRole::Unknown,
            };
            let protocol =
                if endpoint.role == Role::Resolver { Protocol::Udp } else { Protocol::Tcp };
            let mut evidence =
                vec![Evidence::new(at(endpoint.site), Some(at(endpoint.function)), note)];
            for handover in &endpoint.handovers {
                add_handover(&mut evidence, program, handover);
            }
            Endpoint {
                host: endpoint.host.clone(),
                port: Some(endpoint.port),
                protocol: Some(protocol),
                url: None,
                role,
                order: is_c2.then_some(order),
                method,
                confidence,
                evidence,
            }
        })
        .collect()
}

/// Adds the way of an address from the call that is handed it to the kernel.
fn add_handover(evidence: &mut Vec<Evidence>, program: &Program<'_>, handover: &Handover) {
    let reached = &handover.reached;
    let call = match reached.call {
        SocketCall::Bind => "bind",
        SocketCall::Connect => "connect",
        SocketCall::SendTo => "sendto",
        _ => "a socket call",
    };
    let mut step = |address: Address, note: &str| {
        let known = evidence.iter_mut().find(|known| known.address == at(address));
        if let Some(known) = known {
            known.note = format!("{}, {note}", known.note);
            return;
        }
        let function = program.function_containing(address).and_then(|id| program.function(id));
        evidence.push(Evidence::new(at(address), function.map(|one| at(one.entry)), note));
    };
    step(handover.site, &format!("address handed to {call} by this call"));
    for site in &reached.through {
        step(*site, "on the way through this call");
    }
    step(reached.at, &format!("system call {call} made here"));
}

/// The role of an entry that an endpoint is made of.
fn endpoint_role_of(id: u32, endpoints: &[endpoints::Endpoint]) -> Option<EntryRole> {
    endpoints.iter().find_map(|endpoint| {
        let Source::Table { host, port } = endpoint.source else { return None };
        match endpoint.role {
            Role::C2 if id == host => Some(EntryRole::C2Host),
            Role::C2 if id == port => Some(EntryRole::C2Port),
            Role::ScanReceiver if id == host => Some(EntryRole::ScanReceiverHost),
            Role::ScanReceiver if id == port => Some(EntryRole::ScanReceiverPort),
            _ => None,
        }
    })
}

/// The role of an entry that is the port of a server of this role.
fn port_role_of(server: Role) -> Option<EntryRole> {
    match server {
        Role::C2 => Some(EntryRole::C2Port),
        Role::ScanReceiver => Some(EntryRole::ScanReceiverPort),
        _ => None,
    }
}

/// The role of an entry by who reads it.
fn role_of(purpose: Purpose) -> EntryRole {
    match purpose {
        Purpose::Resolver => EntryRole::Resolver,
        Purpose::ScannerDialogue => EntryRole::ScannerDialogue,
        Purpose::Killer => EntryRole::Killer,
        Purpose::Watchdog => EntryRole::Watchdog,
        Purpose::AttackPayload => EntryRole::AttackPayload,
        Purpose::HttpFragment => EntryRole::HttpFragment,
        Purpose::UserAgent => EntryRole::UserAgent,
        Purpose::ExecutionMessage => EntryRole::ExecutionMessage,
    }
}

fn table_of(table: &Table<'_>, findings: &Findings<'_>) -> StringTable {
    let Findings { references, purposes, contacts, .. } = findings;
    let endpoints = &contacts.endpoints;
    let ports = endpoints::ports::purposes(&table.entries, references, contacts);
    let entries: Vec<TableEntry> = table
        .entries
        .iter()
        .map(|entry| {
            let mut reported = entry_of(table, entry);
            reported.role = endpoint_role_of(entry.id, endpoints)
                .or_else(|| ports.get(&entry.id).copied().and_then(port_role_of))
                .or_else(|| purposes.get(&entry.id).copied().map(role_of))
                .unwrap_or(EntryRole::Unknown);
            reported.references = references_to(references, entry.id)
                .iter()
                .map(|reference| Reference {
                    address: at(reference.site),
                    function: Some(at(reference.function)),
                })
                .collect();
            reported
        })
        .collect();
    let mut report = StringTable {
        key: table.key_word.map(Key::from),
        effective_key: Some(Key::from(table.effective_key)),
        cipher: Cipher::Xor,
        nonce: None,
        entries,
        sha256: None,
    };
    report.sha256 = Some(string_table_sha256(&report.entries));
    report
}

fn entry_of(table: &Table<'_>, entry: &string_table::Entry) -> TableEntry {
    let stale = entry.stale_key.is_some();
    let meant = match entry.stale_key {
        Some(key) => xor::apply(&entry.encoded, key),
        None => entry.decoded.clone(),
    };
    let value = match meant.as_slice() {
        _ if xor::is_text(&meant) => EntryValue::Text { text: printable(&meant) },
        _ if let Some(port) = entry.as_port() => EntryValue::Port { port },
        _ if meant.last() == Some(&0) => EntryValue::Text { text: printable(&meant) },
        _ => EntryValue::Bytes,
    };
    let evidence = Evidence::new(
        at(entry.added_at.unwrap_or(entry.cell)),
        Some(at(table.initialiser)),
        "added here",
    );
    TableEntry {
        id: entry.id,
        value,
        hex: meant.into(),
        role: EntryRole::Unknown,
        cipher: None,
        effective_key: entry.stale_key.map(Key::from),
        stale,
        code_hex: stale.then(|| entry.decoded.clone().into()),
        cell: Some(at(entry.cell)),
        references: Vec::new(),
        evidence: vec![evidence],
    }
}

/// Loose strings, with what they are for and the first use that says so.
fn strings_of(findings: &Findings<'_>) -> Vec<LooseString> {
    let Findings { strings, string_references, string_purposes, contacts, .. } = findings;
    let with_role = |(number, string): (u32, &loose_strings::LooseString)| {
        let mut reported = string_of(string);
        let uses = references_to(string_references, number);
        let Some(first) = uses.first() else { return reported };
        reported.role = host_role_of(&reported.text, &contacts.endpoints)
            .or_else(|| string_purposes.get(&number).copied().map(role_of));
        if reported.role.is_some() {
            let evidence = Evidence::new(at(first.site), Some(at(first.function)), "used here");
            reported.evidence.push(evidence);
        }
        reported
    };
    (0..).zip(strings).map(with_role).collect()
}

/// The role of a text that is the host of endpoints of one role.
fn host_role_of(text: &str, endpoints: &[endpoints::Endpoint]) -> Option<EntryRole> {
    let mut roles = endpoints.iter().filter(|endpoint| endpoint.host == text).map(|endpoint| {
        match endpoint.role {
            Role::C2 => Some(EntryRole::C2Host),
            Role::ScanReceiver => Some(EntryRole::ScanReceiverHost),
            _ => None,
        }
    });
    let first = roles.next()?;
    first.filter(|_| roles.all(|role| role == first))
}

fn string_of(string: &loose_strings::LooseString) -> LooseString {
    let address = at(string.address);
    let evidence = match string.source {
        StringSource::Decoded { decoder, site, function } => vec![
            Evidence::new(at(site), Some(at(function)), "decoded here"),
            Evidence::new(at(decoder), Some(at(decoder)), "decodes"),
        ],
        StringSource::Referenced { site, function } => {
            vec![Evidence::new(at(site), function.map(at), "text under the key of most strings")]
        }
        StringSource::InRow { .. } => {
            vec![Evidence::new(address, None, "one of many texts in a row under one key")]
        }
        StringSource::Beside { neighbour } => vec![
            Evidence::new(address, None, "text under the key of its neighbours"),
            Evidence::new(at(neighbour), None, "the neighbour before it"),
        ],
    };
    LooseString {
        address,
        text: printable(&string.decoded),
        hex: string.decoded.clone().into(),
        cipher: Cipher::Xor,
        effective_key: Some(Key::from(string.key)),
        role: None,
        evidence,
    }
}

fn credentials_of(list: &CredentialList) -> Credentials {
    let entries = list
        .pairs
        .iter()
        .map(|pair| Credential {
            user: printable(&pair.user),
            password: printable(&pair.password),
            weight: pair.weight,
            evidence: vec![Evidence::new(
                at(pair.added_at),
                Some(at(list.initialiser)),
                "added here",
            )],
        })
        .collect();
    let mut credentials = Credentials {
        effective_key: Some(Key::from(list.effective_key)),
        cipher: Cipher::Xor,
        entries,
        sha256: None,
    };
    // The hash of a list with gaps would compare as another list.
    if list.unread.is_empty() {
        credentials.sha256 = Some(credentials_sha256(&credentials.entries));
    }
    credentials
}

fn attacks_of(registry: &Registry) -> Vec<Attack> {
    registry
        .vectors
        .iter()
        .map(|vector| Attack {
            vector: Some(vector.number),
            command: None,
            handler: at(vector.handler),
            kind: None,
            kind_method: None,
            same_as: registry
                .vectors
                .iter()
                .filter(|other| other.number != vector.number && other.handler == vector.handler)
                .map(|other| other.number)
                .collect(),
            options: Vec::new(),
            packets: Vec::new(),
            evidence: vec![Evidence::new(
                at(vector.registered_at.unwrap_or(vector.handler)),
                Some(at(registry.initialiser)),
                "registered here",
            )],
        })
        .collect()
}

fn dispatched(dispatcher: &Dispatcher) -> Vec<Attack> {
    let number = |order: &Order| match order {
        Order::Vector(vector) => Some(u32::from(*vector)),
        Order::Command(_) => None,
    };
    let text = |order: &Order| match order {
        Order::Vector(_) => None,
        Order::Command(text) => Some(text.clone()),
    };
    let attacks = dispatcher.attacks.iter();
    attacks
        .clone()
        .map(|attack| Attack {
            vector: number(&attack.order),
            command: text(&attack.order),
            handler: at(attack.handler),
            kind: None,
            kind_method: None,
            same_as: attacks
                .clone()
                .filter(|other| other.order != attack.order && other.handler == attack.handler)
                .filter_map(|other| number(&other.order))
                .collect(),
            options: Vec::new(),
            packets: Vec::new(),
            evidence: vec![Evidence::new(
                at(attack.site),
                Some(at(dispatcher.parser)),
                "called when the command is handed over",
            )],
        })
        .collect()
}
