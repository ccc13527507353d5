//! What stands behind the gate does what the truth says, run in the emulator with the gate open: whom
//! programs ask and connect to, and what handlers send.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use miyaburi_emulator::{Abi, Emulator, Limits};
use miyaburi_image::{Image, Symbol};
use miyaburi_linux::{
    Answer, CallRecord, NetworkAction, NetworkEvent, Process, Setup, Side, SystemCall, Transport,
};
use miyaburi_pcode::Language;

use super::safety::is_documentation;
use crate::{
    specimens::{
        COMMITTED_SEED, build,
        configuration::{C2From, Configuration, Host},
        fork::Fork,
        parts::Parts,
        plan::{self, Specimen},
    },
    toolchain::{Compiler, Libc, Toolchain},
};

const LIMITS: Limits =
    Limits { instructions: 2_000_000, depth: 10_000, undo: false, ..Limits::DEFAULT };

/// Pages of 4 KiB.
const PAGES: usize = 16_384;

/// Packets that a specimen sends in its life.
const PACKETS: usize = 3;

/// A specimen with its symbols.
struct Program {
    label: String,
    configuration: Configuration,
    file: Vec<u8>,
}

/// Small specimens of `forks` in our own C library, one of so many, with their symbols. Those whose
/// compiler is not here are built for another CPU type.
fn built(forks: &[Fork], one_of: usize) -> Vec<Program> {
    let (scratch, symbols) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let parts = Parts::new(scratch.path(), COMMITTED_SEED).unwrap();
    let is_wanted = |specimen: &Specimen| {
        forks.contains(&specimen.fork)
            && is_small(&specimen.toolchain)
            && !specimen.ballast
            && !specimen.symbols
    };
    let all = Toolchain::all();
    let here = all.iter().find(|it| it.installed() && is_small(it)).expect("a C compiler");
    let chosen = plan::all(&all).into_iter().filter(is_wanted).step_by(one_of);
    let buildable = chosen.map(|specimen| match specimen.toolchain.installed() {
        true => specimen,
        false => Specimen { toolchain: *here, ..specimen },
    });
    let unique: BTreeMap<String, Specimen> =
        buildable.map(|specimen| (specimen.label(), specimen)).collect();
    unique
        .into_values()
        .map(|specimen| {
            let folder = symbols.path();
            build::build(&specimen, COMMITTED_SEED, scratch.path(), &parts, Some(folder)).unwrap();
            let label = specimen.label();
            let file = std::fs::read(folder.join(&label)).unwrap();
            let configuration = build::configuration(&specimen, COMMITTED_SEED);
            Program { label, configuration, file }
        })
        .collect()
}

fn is_small(toolchain: &Toolchain) -> bool {
    // Clang's driver takes the symbols out at -Os.
    toolchain.libc == Libc::Tiny && toolchain.compiler == Compiler::Gcc
}

fn symbol<'a>(image: &'a Image, name: &str) -> &'a Symbol {
    image.symbols().iter().find(|symbol| symbol.name == name).expect("a symbol of the sources")
}

/// A program whose gate is open, and its emulator.
struct Opened<'a> {
    image: &'a Image,
    emulator: Emulator<'a>,
    process: Process<'a>,
}

impl<'a> Opened<'a> {
    /// Started by `name`, following the child of its first fork and the parent of the others.
    fn new(image: &'a Image, language: &'a dyn Language, file: &[u8], name: &str) -> Opened<'a> {
        let abi = Abi::new(image.arch(), language).unwrap();
        let emulator = Emulator::new(image, language, abi);
        let arguments = vec![name.as_bytes().to_vec()];
        let setup = Setup { arguments, forks: vec![Side::Child], ..Setup::default() };
        let process = Process::start(&emulator, language, image, file, &setup, PAGES).unwrap();
        Opened { image, emulator, process }
    }

    fn open_gate(&mut self) {
        let gate = symbol(self.image, "network_enabled").address;
        self.process.state.memory.store(gate, 4, 1).unwrap();
    }

    fn run(&mut self) {
        self.process.run(&mut self.emulator, &LIMITS);
    }

    /// What left the machine: no bound address, no connection of the machine with itself.
    fn sent(&self) -> Vec<NetworkEvent> {
        let events = self.process.kernel.network_events().iter();
        events.filter(|event| event.action != NetworkAction::Bound).cloned().collect()
    }
}

/// Whom a program asks for names, and whom it connects or sends to.
fn reached(program: &Program, name: &str) -> Vec<NetworkEvent> {
    let (configuration, file) = (&program.configuration, &program.file);
    let image = Image::parse(file).unwrap();
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let mut opened = Opened::new(&image, &*language, file, name);
    opened.open_gate();
    opened.run();
    let sent = opened.sent();
    // That of the own address: a datagram socket's connection, of which nothing is sent.
    let is_lookup_of_own = |event: &NetworkEvent| {
        event.action == NetworkAction::Connected
            && event.transport == Transport::Udp
            && event.address.ip() == IpAddr::V4(configuration.resolver)
    };
    sent.into_iter().filter(|event| !is_lookup_of_own(event)).collect()
}

/// The first name that was asked for, or the first address that was connected to.
fn first_destination(events: &[NetworkEvent]) -> String {
    match events.first() {
        Some(NetworkEvent { action: NetworkAction::Asked { name, .. }, .. }) => name.clone(),
        Some(NetworkEvent { address, .. }) => address.to_string(),
        None => String::new(),
    }
}

fn is_asked(events: &[NetworkEvent], wanted: &str, wanted_record: u16) -> bool {
    events.iter().any(|event| match &event.action {
        NetworkAction::Asked { name, record } => name == wanted && *record == wanted_record,
        _ => false,
    })
}

/// The destination of a C2, as [`first_destination`] says it.
fn destination(host: &Host, port: u16) -> String {
    match host {
        Host::Name(name) => name.clone(),
        Host::V4(address) => format!("{address}:{port}"),
        Host::V6(address) => format!("[{address}]:{port}"),
    }
}

const A: u16 = 1;
const TXT: u16 = 16;

#[test]
fn programs_reach_the_destinations_of_their_truth() {
    let built = built(&Fork::DESTINATIONS, 5);
    let forks: BTreeSet<Fork> = built.iter().map(|program| program.configuration.fork).collect();
    assert_eq!(forks.len(), Fork::DESTINATIONS.len());
    for program in &built {
        let configuration = &program.configuration;
        let (reach, c2) = (configuration.reach.as_ref().unwrap(), &configuration.c2);
        let events = reached(program, &configuration.own_name);
        let told = format!("{}: {events:?}", program.label);
        assert!(events.len() <= PACKETS, "{told}");
        assert!(events.iter().all(|event| is_documented(event.address)), "{told}");
        match c2.from {
            C2From::Txt => assert!(is_asked(&events, &reach.asked, TXT), "{told}"),
            C2From::Record => assert!(is_asked(&events, &reach.asked, A), "{told}"),
            C2From::DeadDrop => {
                assert!(is_asked(&events, &reach.drop_host, A), "{told}");
                let request = format!("GET {} HTTP/1.1\r\n", reach.drop_path());
                let is_request = |event: &NetworkEvent| match &event.action {
                    NetworkAction::Sent(bytes) => bytes.starts_with(request.as_bytes()),
                    _ => false,
                };
                let sent = events.iter().find(|event| is_request(event)).expect(&told);
                assert_eq!(sent.address.port(), 443, "{told}");
            }
            _ => {
                assert_eq!(first_destination(&events), destination(&c2.hosts[0], c2.port), "{told}")
            }
        }
        let is_peer = |address: SocketAddr| {
            reach.peers.iter().any(|(host, port)| SocketAddr::from((*host, *port)) == address)
        };
        let greets = events.iter().any(|event| is_peer(event.address));
        // A C2 with a name that is reached takes all three packets.
        let has_packets_left = matches!(c2.hosts.first(), Some(Host::V4(_)));
        let is_peer_list = configuration.fork == Fork::PeerList;
        assert_eq!(greets, is_peer_list && has_packets_left, "{told}");
    }
}

#[test]
fn under_another_name_gated_programs_reach_the_decoy() {
    for program in built(&[Fork::TrapGate, Fork::NameGate], 5) {
        let events = reached(&program, "./another");
        let (host, port) = program.configuration.decoy;
        let decoy = SocketAddr::from((host, port)).to_string();
        assert_eq!(first_destination(&events), decoy, "{}", program.label);
    }
}

fn is_documented(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(address) => is_documentation(address),
        IpAddr::V6(_) => false,
    }
}

/// Whom attacks are given, and the domain of those that ask for one.
const TARGET: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const DOMAIN: &[u8] = b"victim.example\0";

/// `sendmsg`, or its number of `socketcall` (include/uapi/linux/net.h).
fn is_message(call: &CallRecord) -> bool {
    match call.call.map(SystemCall::name) {
        Some("socketcall") => call.arguments[0] == 16,
        name => name == Some("sendmsg"),
    }
}

/// What one handler of a program sends that is given one target, and a domain if it wants one.
fn attack(program: &Program, index: usize) -> (Vec<NetworkEvent>, usize) {
    let (configuration, file) = (&program.configuration, &program.file);
    let image = Image::parse(file).unwrap();
    let language = miyaburi_pcode::language_for(image.arch()).unwrap();
    let mut opened = Opened::new(&image, &*language, file, &configuration.own_name);
    opened.run();
    let attack = &configuration.attacks[index];
    let room = symbol(&image, "command_buffer").address;
    let (options, domain) = (room.offset(64), room.offset(96));
    let memory = &mut opened.process.state.memory;
    // A socket address, the address, the length of the network.
    memory.store(room, 2, 2).unwrap();
    memory.write(room.offset(4), &TARGET.octets()).unwrap();
    memory.write(room.offset(16), &TARGET.octets()).unwrap();
    memory.store(room.offset(20), 1, 32).unwrap();
    memory.write(domain, DOMAIN).unwrap();
    let wanted = attack.parameters.iter().find(|parameter| parameter.option.macro_name == "DOMAIN");
    let width = image.arch().pointer_size();
    memory.store(options, width, domain.0).unwrap();
    let key = wanted.map_or(0, |parameter| parameter.key);
    memory.store(options.offset(u64::from(width)), 1, u64::from(key)).unwrap();
    let count = u64::from(wanted.is_some());
    let handler = symbol(&image, attack.kind.handler);
    let context = opened.emulator.context(handler.thumb);
    let arguments = [1, room.0, count, options.0];
    let process = &mut opened.process;
    let function = (handler.address, context);
    let limits = LIMITS;
    opened.emulator.call(&mut process.state, function, &arguments, &mut process.kernel, &limits);
    // A kernel that knows no messages leaves nothing but the call.
    let is_lost = |call: &&CallRecord| call.answer == Answer::Unmodelled && is_message(call);
    let messages = process.calls().iter().filter(is_lost).count();
    (opened.sent(), messages)
}

#[test]
fn handlers_send_at_most_three_packets_of_their_kind_to_documentation_addresses() {
    let built = built(&[Fork::ObservedAttacks], 6);
    assert!(built.len() >= 4);
    for program in &built {
        let attacks = &program.configuration.attacks;
        for (index, kind) in attacks.iter().map(|attack| attack.kind).enumerate() {
            let (events, messages) = attack(program, index);
            let told = format!("{} {}: {events:?}", program.label, kind.handler);
            assert!(events.len() + messages <= PACKETS, "{told}");
            assert!(events.iter().all(|event| is_documented(event.address)), "{told}");
            let protocol = match kind.name {
                "udp" | "vse" | "dns_query" => 17,
                "syn" | "ack" | "tcp_stomp" => 6,
                "gre_ip" | "gre_eth" => 47,
                "raw_other" => 253,
                "icmp" => 1,
                "none_observed" => {
                    assert!(events.is_empty(), "{told}");
                    continue;
                }
                _ => {
                    assert!(!events.is_empty(), "{told}");
                    continue;
                }
            };
            let is_of_kind = |event: &NetworkEvent| match &event.action {
                NetworkAction::Sent(bytes) => bytes.get(9) == Some(&protocol),
                _ => false,
            };
            let is_message = kind.name == "icmp" && messages == PACKETS;
            assert!(events.iter().any(is_of_kind) || is_message, "{told}");
        }
    }
}
