//! The truth says what the configuration says, and its hashes follow the published rules.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::{
    specimens::{
        ciphers::Cipher, configuration::Configuration, fork::Fork, reach::Transform, truth,
        values::DOCUMENTATION_NETWORKS,
    },
    toolchain::Target,
};

/// Truth of a configuration, drawn until `wanted` holds.
fn truth_where(fork: Fork, wanted: fn(&Configuration) -> bool) -> (Configuration, Json) {
    let configuration = (0..500)
        .map(|seed| Configuration::generate(fork, seed, "test"))
        .find(wanted)
        .expect("one of many seeds");
    let truth = truth::of_family(&configuration, Target::MipsBe);
    (configuration, Json::Object(truth))
}

fn roles(truth: &Json) -> Vec<&str> {
    truth["endpoints"].as_array().unwrap().iter().map(|e| e["role"].as_str().unwrap()).collect()
}

#[test]
fn classic_has_the_leaked_ids_in_the_leaked_order() {
    let (_, truth) = truth_where(Fork::Classic, |_| true);
    let entries = truth["string_table"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 51);
    let ids: Vec<u64> = entries.iter().take(7).map(|entry| entry["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [3, 4, 18, 19, 1, 2, 5]);
    assert_eq!(entries[0]["role"], "c2_host");
    assert_eq!(entries[1]["kind"], "port");
    assert_eq!(truth["verdict"], "config");
    let vectors: Vec<u64> = truth["attacks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["vector"].as_u64().unwrap())
        .collect();
    assert_eq!(vectors, [0, 1, 2, 3, 4, 5, 6, 7, 9, 10]);
    assert_eq!(roles(&truth), ["c2", "decoy", "scan_receiver", "resolver", "single_instance"]);
}

#[test]
fn renumbered_has_more_than_sixty_entries_with_gaps() {
    let (_, truth) = truth_where(Fork::Renumbered, |_| true);
    let mut ids: Vec<u64> = truth["string_table"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_u64().unwrap())
        .collect();
    assert!(ids.len() > 60);
    assert!(!ids.is_sorted());
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.last().unwrap() - ids.first().unwrap() >= ids.len() as u64);
}

#[test]
fn external_has_no_c2_and_says_where_it_comes_from() {
    let (_, truth) = truth_where(Fork::External, |_| true);
    assert_eq!(truth["verdict"], "external_c2");
    assert_eq!(truth["external"], json!([{"source": "argv"}]));
    assert!(!roles(&truth).contains(&"c2"));
}

#[test]
fn former_c2s_of_plain_c2_have_no_role() {
    let (configuration, truth) = truth_where(Fork::PlainC2, |_| true);
    let entry = configuration.entries.iter().find(|entry| entry.name == "C2_HOST").unwrap();
    assert_eq!(entry.role.name(), "unknown");
    let c2s: Vec<&Json> = truth["endpoints"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|endpoint| endpoint["role"] == "c2")
        .collect();
    assert_eq!(c2s.len(), 1);
    assert_eq!(c2s[0]["host"], configuration.c2.hosts[0].text());
}

#[test]
fn a_text_coded_by_a_fork_has_the_role_of_the_code_that_reads_it() {
    let (_, truth) =
        truth_where(Fork::WholeImage, |configuration| !configuration.attacks.is_empty());
    let strings = truth["strings"].as_array().unwrap();
    let role =
        |text: &str| strings.iter().find(|string| string["text"] == text).unwrap()["role"].clone();
    for text in ["GET", "/", "\\x0d\\x0aHost: ", " HTTP/1.1\\x0d\\x0aUser-Agent: ", "\\x0d\\x0a"] {
        assert_eq!(role(text), "http_fragment", "{text}");
    }
    // Random names are drawn from it, whoever asks for one.
    assert_eq!(role("abcdefghijklmnopqrstuvw012345678"), Json::Null);
}

#[test]
fn stale_entries_name_their_key_and_keep_the_sensible_text() {
    let (configuration, truth) = truth_where(Fork::MixedKeys, |_| true);
    let stale: Vec<&Json> = truth["string_table"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["stale"] == true)
        .collect();
    assert!((3..=7).contains(&stale.len()));
    for entry in stale {
        assert_ne!(entry["effective_key"], truth["string_table"]["effective_key"]);
        let named = configuration.entries.iter().find(|e| entry["id"] == e.id).unwrap();
        let key = named.stale_key.unwrap() ^ super::super::values::folded(configuration.key);
        let seen: Vec<u8> = named.value.bytes().iter().map(|byte| byte ^ key).collect();
        assert_eq!(entry["code_hex"], hex::encode(seen));
    }
    assert_ne!(truth["credentials"]["effective_key"], truth["string_table"]["effective_key"]);
}

#[test]
fn what_a_variant_lacks_is_an_empty_list() {
    let (_, truth) = truth_where(Fork::NoTable, |_| true);
    assert_eq!(truth["string_table"]["entries"], json!([]));
    assert!(!truth["strings"].as_array().unwrap().is_empty());
    let (_, truth) = truth_where(Fork::NoScanner, |_| true);
    assert_eq!(truth["credentials"]["entries"], json!([]));
    assert_eq!(truth["scan"]["probes"], json!([]));
    let (_, truth) = truth_where(Fork::NoAttacks, |_| true);
    assert_eq!(truth["attacks"], json!([]));
    let lookalike = Json::Object(truth::of_lookalike(Target::X86));
    assert_eq!(lookalike["verdict"], "no_config");
    assert_eq!(lookalike["endpoints"], json!([]));
}

#[test]
fn a_folded_key_is_not_claimed_to_stand_in_the_file() {
    let (_, folded) = truth_where(Fork::Ipv6, |c| c.style.key == "KEY_FOLDED");
    assert!(folded["string_table"].get("key").is_none());
    let (configuration, whole) = truth_where(Fork::Ipv6, |c| c.style.key == "KEY_WORD");
    assert_eq!(whole["string_table"]["key"], format!("0x{:08x}", configuration.key));
}

#[test]
fn a_table_that_nothing_fills_stands_in_the_order_of_its_ids() {
    let (_, truth) = truth_where(Fork::StaticPointers, |_| true);
    let entries = truth["string_table"]["entries"].as_array().unwrap();
    let ids: Vec<u64> = entries.iter().map(|entry| entry["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted());
    assert_ne!(truth["credentials"]["effective_key"], truth["string_table"]["effective_key"]);
}

#[test]
fn a_key_that_is_a_constant_of_each_call_is_no_word_of_the_file() {
    let word = |c: &Configuration| c.style.key == "KEY_WORD";
    let (_, object) = truth_where(Fork::SplitTable, word);
    assert!(object["string_table"].get("key").is_none());
    let (configuration, looped) = truth_where(Fork::LoopTable, word);
    assert_eq!(looped["string_table"]["key"], format!("0x{:08x}", configuration.key));
}

#[test]
fn hashes_follow_the_published_rule() {
    let (text, port, pair) = ("\u{1}ok", 0x1234_u16, ("root", "a b", 7_u16));
    assert_eq!(
        truth::table_hash_of([(text.as_bytes(), None), (&[0x12, 0x34], Some(port))].into_iter()),
        // sha256("str\\x01okint4660")
        "a75b5962bdb7ef5990f08c6e007096a23f1473be98236f2ad27e94b7a65a333e"
    );
    assert_eq!(
        truth::credential_hash_of([pair].into_iter()),
        // sha256("roota b7")
        "0835425769140fe6cacf50719851b8b1e051f1523217a57288ef140760347d45"
    );
}

#[test]
fn a_cipher_of_many_key_bytes_has_its_key_as_it_stands_in_the_file_and_no_effective_one() {
    let (configuration, truth) = truth_where(Fork::Chacha20, |_| true);
    let Cipher::Chacha20 { key, nonce } = configuration.cipher else { panic!("another cipher") };
    assert_eq!(truth["string_table"]["cipher"], "chacha20");
    assert_eq!(truth["string_table"]["key"], format!("0x{}", hex::encode(key)));
    assert_eq!(truth["string_table"]["nonce"], format!("0x{}", hex::encode(nonce)));
    assert_eq!(truth["string_table"]["effective_key"], Json::Null);
    let (configuration, truth) = truth_where(Fork::RotXor, |_| true);
    assert_eq!(truth["string_table"]["key"], format!("0x{:08x}", configuration.key));
    assert_eq!(truth["string_table"]["effective_key"].as_str().unwrap().len(), 4);
}

#[test]
fn credentials_may_be_under_another_cipher_than_the_table() {
    let of_scanner = |wanted: &str| {
        let name = |c: &Configuration| c.credential_cipher.name();
        let drawn = (0..500).map(|seed| Configuration::generate(Fork::Rc4, seed, "test"));
        let configuration = drawn.into_iter().find(|c| name(c) == wanted).unwrap();
        let truth = truth::of_family(&configuration, Target::MipsBe);
        (truth["string_table"]["cipher"].clone(), truth["credentials"].clone())
    };
    let (table, own) = of_scanner("xor");
    assert_eq!((table, &own["cipher"]), (json!("rc4"), &json!("xor")));
    assert_ne!(own["effective_key"], Json::Null);
    let (_, same) = of_scanner("rc4");
    assert_eq!(same["effective_key"], Json::Null);
}

#[test]
fn a_text_under_its_own_key_says_which() {
    let (configuration, truth) = truth_where(Fork::PerEntryKey, |_| true);
    let entries = truth["string_table"]["entries"].as_array().unwrap();
    let keys: Vec<&str> = entries.iter().map(|e| e["effective_key"].as_str().unwrap()).collect();
    assert!(keys.iter().any(|key| *key != keys[0]));
    let first = &configuration.entries[0];
    let key = first.own_key.unwrap();
    assert_eq!(keys[0], format!("0x{key:02x}"));
    let plain: Vec<u8> = configuration.coded(first).iter().map(|byte| byte ^ key).collect();
    assert_eq!(plain, first.value.bytes());
    assert_eq!(truth["string_table"]["effective_key"], Json::Null);
}

#[test]
fn texts_of_a_block_have_their_offsets_for_ids_and_texts_on_the_stack_have_none() {
    let (_, block) = truth_where(Fork::Xxtea, |_| true);
    let entries = block["string_table"]["entries"].as_array().unwrap();
    let mut end = 0;
    for entry in entries {
        let offset = entry["id"].as_u64().unwrap();
        assert!(offset >= end && offset % 8 == 0, "{entry}");
        end = offset + entry["text"].as_str().map_or(2, |text| text.len() as u64 + 1);
    }
    let (_, stack) = truth_where(Fork::StackString, |_| true);
    assert_eq!(stack["string_table"]["entries"], json!([]));
    assert!(stack["strings"].as_array().unwrap().iter().all(|s| s["cipher"] == "stack_string"));
}

#[test]
fn observed_attacks_are_of_every_kind_and_say_which_are_the_same() {
    let (_, truth) = truth_where(Fork::ObservedAttacks, |_| true);
    let attacks = truth["attacks"].as_array().unwrap();
    let kinds: BTreeSet<&str> = attacks.iter().map(|a| a["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        BTreeSet::from([
            "ack",
            "dns_query",
            "gre_eth",
            "gre_ip",
            "http",
            "icmp",
            "none_observed",
            "raw_other",
            "syn",
            "tcp_connect",
            "tcp_stomp",
            "udp",
            "udp_plain",
            "vse"
        ])
    );
    let vectors: BTreeSet<u64> = attacks.iter().map(|a| a["vector"].as_u64().unwrap()).collect();
    assert_eq!(vectors.len(), attacks.len());
    for attack in attacks {
        let same: BTreeSet<u64> =
            attack["same_as"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        let of_kind = attacks.iter().filter(|other| other["kind"] == attack["kind"]);
        let mut others: BTreeSet<u64> = of_kind.map(|a| a["vector"].as_u64().unwrap()).collect();
        others.remove(&attack["vector"].as_u64().unwrap());
        assert_eq!(same, others);
        assert!(attack["kind"] != "udp_plain" || !same.is_empty());
    }
}

#[test]
fn one_handler_has_two_vectors_and_two_handlers_do_the_same() {
    let (configuration, _) = truth_where(Fork::ObservedAttacks, |_| true);
    let handlers: Vec<&str> = configuration.attacks.iter().map(|a| a.kind.handler).collect();
    let distinct: BTreeSet<&str> = handlers.iter().copied().collect();
    assert_eq!(handlers.len(), distinct.len() + 1);
    let plain = configuration.attacks.iter().filter(|a| a.kind.name == "udp_plain");
    let plain: BTreeSet<&str> = plain.map(|a| a.kind.handler).collect();
    assert_eq!(plain, BTreeSet::from(["attack_udp_connected", "attack_udp_plain"]));
}

#[test]
fn packets_tell_constants_from_options_and_what_is_drawn() {
    let (_, truth) = truth_where(Fork::ObservedAttacks, |_| true);
    let attacks = truth["attacks"].as_array().unwrap();
    let of = |kind: &str| attacks.iter().find(|a| a["kind"] == kind).unwrap();
    let key = |attack: &Json, name: &str| {
        let options = attack["options"].as_array().unwrap();
        options.iter().find(|option| option["name"] == name).unwrap()["key"].clone()
    };
    let syn = of("syn");
    let packet = &syn["packets"][0];
    assert_eq!(packet["layers"], json!(["ip", "tcp"]));
    assert_eq!(packet["spoofable"], true);
    assert_eq!(
        packet["fields"]["tcp.flags.syn"],
        json!({"constant": 1, "option": key(syn, "syn")})
    );
    // 65535 stands for one that is drawn.
    assert_eq!(packet["fields"]["tcp.seq"], json!({"option": key(syn, "seq")}));
    assert_eq!(packet["fields"]["ip.dst"], json!({"from": "target"}));
    let vse = &of("vse")["packets"][0]["fields"]["udp.payload"];
    assert_eq!(vse["prefix_hex"], "ffffffff54536f7572636520456e67696e6520517565727900");
    assert_eq!(vse["length"], 25);
    assert_eq!(of("udp_plain")["packets"][0]["spoofable"], false);
    assert_eq!(of("dns_query")["packets"][0]["fields"].get("ip.dst"), None);
    assert_eq!(of("none_observed")["packets"], json!([]));
}

#[test]
fn a_c2_that_is_not_in_the_file_is_external_with_what_is_done_to_the_answer() {
    let (configuration, swapped) = truth_where(Fork::DnsAddress, |c| {
        c.reach.as_ref().is_some_and(|reach| reach.transform == Transform::Halves)
    });
    let asked = &configuration.reach.as_ref().unwrap().asked;
    assert_eq!(swapped["verdict"], "external_c2");
    assert_eq!(
        swapped["external"],
        json!([{"source": "dns_a", "name": asked, "record": "A", "transform": "halves swapped"}])
    );
    assert!(!roles(&swapped).contains(&"c2"));
    let (_, plain) = truth_where(Fork::DnsTxt, |c| {
        c.reach.as_ref().is_some_and(|reach| reach.transform == Transform::None)
    });
    assert_eq!(plain["external"][0]["transform"], Json::Null);
    let (_, dropped) = truth_where(Fork::DeadDrop, |_| true);
    assert_eq!(dropped["external"][0]["source"], "doh");
    assert!(roles(&dropped).contains(&"dead_drop_resolver"));
}

#[test]
fn several_c2s_stand_in_their_order_and_peers_are_no_c2() {
    let (configuration, truth) = truth_where(Fork::Fallback, |c| c.c2.hosts.len() == 3);
    let c2s: Vec<&Json> =
        truth["endpoints"].as_array().unwrap().iter().filter(|e| e["role"] == "c2").collect();
    let orders: Vec<u64> = c2s.iter().map(|e| e["order"].as_u64().unwrap()).collect();
    assert_eq!(orders, [1, 2, 3]);
    assert_eq!(c2s[1]["host"], configuration.c2.hosts[1].text());
    let (configuration, truth) = truth_where(Fork::PeerList, |_| true);
    let peers = roles(&truth).into_iter().filter(|role| *role == "peer").count();
    assert_eq!(peers, configuration.reach.unwrap().peers.len());
    assert_eq!(roles(&truth)[0], "c2");
}

#[test]
fn what_a_xored_answer_becomes_is_a_documentation_address_again() {
    for seed in 0..50 {
        let configuration = Configuration::generate(Fork::DnsAddress, seed, "test");
        let Some(Transform::XorAddress(key)) = configuration.reach.map(|reach| reach.transform)
        else {
            continue;
        };
        let becomes =
            |network: &[u8; 3]| -> [u8; 3] { std::array::from_fn(|i| network[i] ^ key[i]) };
        let networks = DOCUMENTATION_NETWORKS;
        let kept = networks.iter().filter(|network| networks.contains(&becomes(network)));
        assert_eq!(kept.count(), 2);
    }
}
