//! Stream ciphers.

use super::*;
use ::chacha20::ChaCha20;
use ::chacha20::cipher::{KeyIvInit, StreamCipher};

/// RC4 with `j` reset between key schedule and output, as published, or carried over.
fn rc4(key: &[u8], is_carried: bool) -> impl Fn(&[u8]) -> Vec<u8> {
    move |text| {
        let mut state: Vec<u8> = (0..=255).collect();
        let (mut i, mut j) = (0_u8, 0_u8);
        for at in 0..256 {
            j = j.wrapping_add(state[at]).wrapping_add(key[at % key.len()]);
            state.swap(at, usize::from(j));
        }
        j = if is_carried { j } else { 0 };
        let mut next = || {
            i = i.wrapping_add(1);
            j = j.wrapping_add(state[usize::from(i)]);
            state.swap(usize::from(i), usize::from(j));
            let sum = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
            state[usize::from(sum)]
        };
        text.iter().map(|byte| byte ^ next()).collect()
    }
}

/// ChaCha20 of RFC 8439.
fn chacha20(key: [u8; 32], nonce: [u8; 12], counter: usize) -> impl Fn(&[u8]) -> Vec<u8> {
    move |text| {
        let mut bytes = [vec![0; 64 * counter], text.to_vec()].concat();
        ChaCha20::new(&key.into(), &nonce.into()).apply_keystream(&mut bytes);
        bytes.split_off(64 * counter)
    }
}

/// One text that a published key stream encodes.
fn under_stream(stream: &[u8]) -> Vec<Sample> {
    let text = &b"GET /index.html HTTP/1.1 and so on, as far as it goes"[..stream.len()];
    let encoded = stream.iter().zip(text).map(|(key, byte)| key ^ byte).collect();
    vec![Sample { encoded, decoded: text.to_vec() }]
}

/// The loads of a key schedule: 256 bytes of the key in turn, and the encoded text's.
fn schedule_loads(key: Address, length: u64) -> Vec<(Address, u32)> {
    let words = [(Address(0x2000), 4), (Address(0x2004), 4)];
    let of_key = (0..256).map(|at| (key.offset(at % length), 1));
    let of_text = (0..20).map(|at| (Address(0x90_0000 + at), 1));
    words.into_iter().chain(of_key).chain(of_text).collect()
}

#[test]
fn rc4_gives_the_streams_of_rfc_6229() {
    let short: [u8; 5] = digits("0102030405");
    let stream: [u8; 16] = digits("b2 39 63 05 f0 3d c0 27 cc c3 52 4a 0a 11 18 a8");
    let (regions, at) = among_noise(&short);
    let coding = recognise(&under_stream(&stream), &material(&regions));
    assert_eq!(coding, Coding::keyed(Cipher::Rc4, at, &short));

    let long: [u8; 16] = digits("0102030405060708090a0b0c0d0e0f10");
    let stream: [u8; 16] = digits("9a c7 cc 9a 60 9d 1e f7 b2 93 28 99 cd e4 1b 97");
    let (regions, at) = among_noise(&long);
    let coding = recognise(&under_stream(&stream), &material(&regions));
    assert_eq!(coding, Coding::keyed(Cipher::Rc4, at, &long));
}

#[test]
fn keys_of_rc4_have_any_length() {
    for length in [2, 3, 7, 13, 40, 100, 256] {
        let key = noise(20, length);
        let samples = samples(rc4(&key, false));
        let (regions, at) = among_noise(&key);
        let known = Material { writes_identity: true, ..material(&regions) };
        assert_eq!(recognise(&samples, &known), Coding::keyed(Cipher::Rc4, at, &key));
    }
}

#[test]
fn loads_in_turn_show_a_key_of_rc4_wherever_it_stands() {
    let key = noise(21, 13);
    let region = [noise(22, 2000), key.clone(), noise(23, 2000)].concat();
    let regions = [(Address(0x2000), noise(24, 8)), (Address(0x8000), region)];
    let reads = schedule_loads(Address(0x8000 + 2000), 13);
    let coding =
        recognise(&samples(rc4(&key, false)), &Material { reads: &reads, ..material(&regions) });
    assert_eq!(coding, Coding::keyed(Cipher::Rc4, Address(0x8000 + 2000), &key));
}

#[test]
fn what_behaves_as_rc4_and_is_not_is_a_modified_one() {
    for length in [16_u64, 256] {
        let key = noise(25, length as usize);
        let (regions, at) = among_noise(&key);
        let samples = samples(rc4(&key, true));
        let seen = Material { writes_identity: true, ..material(&regions) };
        assert_eq!(recognise(&samples, &seen), Coding::of(Cipher::Rc4Modified));
        let reads = schedule_loads(at, length);
        let loaded = Material { reads: &reads, ..seen };
        assert_eq!(recognise(&samples, &loaded), Coding::keyed(Cipher::Rc4Modified, at, &key));
        // Nothing points to RC4, or nothing to a key.
        assert_eq!(recognise(&samples, &material(&regions)), Coding::of(Cipher::Unknown));
        let keyless = Material { writes_identity: true, ..nothing() };
        assert_eq!(recognise(&samples, &keyless), Coding::of(Cipher::Unknown));
    }
}

#[test]
fn texts_under_different_streams_are_no_modified_rc4() {
    let mut samples = samples(rc4(&noise(26, 16), true));
    samples[3].encoded = rc4(&noise(27, 16), true)(&samples[3].decoded);
    let regions = [(Address(0x100), noise(26, 16))];
    let seen = Material { writes_identity: true, ..material(&regions) };
    assert_eq!(recognise(&samples, &seen), Coding::of(Cipher::Unknown));
}

#[test]
fn a_wrong_key_of_rc4_is_not_named() {
    let (regions, _) = among_noise(&noise(29, 16));
    let coding = recognise(&samples(rc4(&noise(28, 16), false)), &material(&regions));
    assert_eq!(coding, Coding::of(Cipher::Unknown));
}

#[test]
fn chacha20_decrypts_the_example_of_rfc_8439() {
    // Section 2.4.2.
    let encoded: [u8; 114] = digits(
        "6e2e359a2568f98041ba0728dd0d6981 e97e7aec1d4360c20a27afccfd9fae0b
         f91b65c5524733ab8f593dabcd62b357 1639d624e65152ab8f530c359f0861d8
         07ca0dbf500d6a6156a38e088a22b65e 52bc514d16ccf806818ce91ab7793736
         5af90bbf74a35be6b40b8eedf2785e42 874d",
    );
    let decoded = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip \
                    for the future, sunscreen would be it.";
    let sample = Sample { encoded: encoded.to_vec(), decoded: decoded.to_vec() };
    let key: [u8; 32] = std::array::from_fn(|index| index as u8);
    let nonce: [u8; 12] = digits("000000000000004a00000000");
    let (mut regions, at) = among_noise(&key);
    regions.push((Address(0x9000), [noise(30, 7), nonce.to_vec(), noise(31, 5)].concat()));
    regions.push((Address(0xa000), b"expand 32-byte k".to_vec()));
    let coding = recognise(&[sample], &material(&regions));
    let expected = Coding::keyed(Cipher::Chacha20, at, &key);
    assert_eq!(coding, Coding { nonce: Some(nonce.to_vec()), ..expected });
}

#[test]
fn chacha20_has_a_nonce_of_eight_bytes_or_none_to_be_seen() {
    // RFC 8439, A.1, vector 1, and draft-agl-tls-chacha20poly1305-04, section 7, vector 3.
    let zeros: [u8; 32] =
        digits("76b8e0ada0f13d90405d6ae55386bd28 bdd219b8a08ded1aa836efcc8b770dc7");
    let one: [u8; 32] = digits("de9cba7bf3d69ef5e786dc63973f653a 0b49e015adbff7134fcb7df137821031");
    let nonce: [u8; 8] = digits("0000000000000001");
    let regions = [(Address(0x100), vec![0; 32]), (Address(0x200), nonce.to_vec())];
    let keyed = Coding::keyed(Cipher::Chacha20, Address(0x100), &[0; 32]);
    assert_eq!(
        recognise(&under_stream(&zeros), &material(&regions)),
        Coding { nonce: Some(vec![0; 12]), ..keyed.clone() }
    );
    assert_eq!(
        recognise(&under_stream(&one), &material(&regions)),
        Coding { nonce: Some(nonce.to_vec()), ..keyed }
    );
}

#[test]
fn key_and_nonce_of_chacha20_may_stand_side_by_side() {
    let (key, nonce): ([u8; 32], [u8; 12]) =
        (noise(32, 32).try_into().unwrap(), noise(33, 12).try_into().unwrap());
    let region = [&noise(34, 24)[..], &nonce, &key, &noise(35, 100)].concat();
    let regions = [(Address(0x800), region)];
    let known = Material { constants: &[7, 0x6170_7865], ..material(&regions) };
    for counter in [0, 1] {
        let coding = recognise(&samples(chacha20(key, nonce, counter)), &known);
        let expected = Coding::keyed(Cipher::Chacha20, Address(0x800 + 36), &key);
        assert_eq!(coding, Coding { nonce: Some(nonce.to_vec()), ..expected });
    }
    // Another key, or another counter.
    let mut other = key;
    other[31] ^= 1;
    for samples in [samples(chacha20(other, nonce, 1)), samples(chacha20(key, nonce, 2))] {
        assert_eq!(recognise(&samples, &known), Coding::of(Cipher::Unknown));
    }
}
