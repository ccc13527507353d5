//! Encodings that work on single bytes.

use super::*;

fn xored(key: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    move |text| text.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
}

fn rot13(text: &[u8]) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM";
    let turned = |byte: &u8| match letters.iter().position(|l| *l == byte.to_ascii_uppercase()) {
        Some(at) if byte.is_ascii_lowercase() => letters[at + 13].to_ascii_lowercase(),
        Some(at) => letters[at + 13],
        None => *byte,
    };
    text.iter().map(turned).collect()
}

/// 0..=255 in another order.
fn shuffled() -> Vec<u8> {
    (0..=255_u8).map(|byte| byte.wrapping_mul(167).wrapping_add(91)).collect()
}

#[test]
fn what_does_not_change_is_plain() {
    assert_eq!(recognise(&samples(<[u8]>::to_vec), &nothing()), Coding::of(Cipher::Plain));
}

#[test]
fn one_byte_for_all_is_xor_and_its_word_is_named() {
    for (endian, bytes) in
        [(Endian::Little, [0xef, 0xfb, 0xac, 0xde]), (Endian::Big, [0xde, 0xac, 0xfb, 0xef])]
    {
        let regions = [(Address(0x100), vec![1, 2, 3, 4]), (Address(0x200), bytes.to_vec())];
        let coding =
            recognise(&samples(xored(&[0x66])), &Material { endian, ..material(&regions) });
        assert_eq!(coding.cipher, Cipher::Xor);
        assert_eq!(coding.effective_key, Some(0x66));
        assert_eq!(coding.key, Some(vec![0xde, 0xac, 0xfb, 0xef]));
        assert_eq!(coding.key_address, Some(Address(0x200)));
    }
}

#[test]
fn the_word_of_an_xor_may_be_loaded_from_among_others() {
    let regions = [(Address(0x100), vec![9, 9, 9, 9, 0xef, 0xfb, 0xac, 0xde, 7])];
    let reads = [(Address(0x104), 4), (Address(0x108), 1), (Address(0x104), 4)];
    let coding =
        recognise(&samples(xored(&[0x66])), &Material { reads: &reads, ..material(&regions) });
    assert_eq!(coding.key_address, Some(Address(0x104)));
}

#[test]
fn words_that_fold_to_something_else_or_do_not_agree_are_no_key() {
    let other = [(Address(0x100), vec![1, 2, 3, 4])];
    let coding = recognise(&samples(xored(&[0x66])), &material(&other));
    assert_eq!((coding.effective_key, coding.key), (Some(0x66), None));
    let two = [(Address(0x100), vec![0x66, 0, 0, 0]), (Address(0x200), vec![0, 0x66, 0, 0])];
    assert_eq!(recognise(&samples(xored(&[0x66])), &material(&two)).key, None);
}

#[test]
fn texts_may_each_have_their_own_byte() {
    let samples: Vec<Sample> = samples(<[u8]>::to_vec)
        .into_iter()
        .zip(1..)
        .map(|(sample, key)| Sample { encoded: xored(&[key])(&sample.encoded), ..sample })
        .collect();
    assert_eq!(recognise(&samples, &nothing()), Coding::of(Cipher::Xor));
}

#[test]
fn a_nul_behind_the_text_need_not_be_encoded() {
    let samples: Vec<Sample> = samples(xored(&[0x54]))
        .into_iter()
        .map(|sample| Sample {
            encoded: sample.encoded[..sample.encoded.len() - 1].to_vec(),
            ..sample
        })
        .collect();
    assert_eq!(recognise(&samples, &nothing()).effective_key, Some(0x54));
}

#[test]
fn three_bytes_do_not_show_an_xor() {
    let short = [Sample { encoded: vec![0x31, 0x32, 0x33], decoded: vec![0x61, 0x62, 0x63] }];
    assert_eq!(recognise(&short, &nothing()).cipher, Cipher::Unknown);
}

#[test]
fn a_key_in_turn_is_found_where_it_stands() {
    let key: [u8; 16] = digits("deadbeef dedefbaf dedefb4f dedefb4f");
    let (regions, at) = among_noise(&key);
    let coding = recognise(&samples(xored(&key)), &material(&regions));
    assert_eq!(coding, Coding::keyed(Cipher::XorCyclic, at, &key));
    let coding = recognise(&samples(xored(&key)), &nothing());
    assert_eq!((coding.cipher, coding.key_address), (Cipher::XorCyclic, None));
    assert_eq!(coding.key, Some(key.to_vec()));
}

#[test]
fn a_key_about_as_long_as_the_longest_text_is_taken_from_the_constants() {
    let longest = TEXTS.iter().map(|text| text.len() - 1).max().unwrap();
    for (length, is_known) in [(longest - 2, true), (longest, false), (longest + 9, false)] {
        let key = noise(5, length);
        let (regions, at) = among_noise(&key);
        let coding = recognise(&samples(xored(&key)), &material(&regions));
        assert_eq!((coding.cipher, coding.key_address), (Cipher::XorCyclic, Some(at)));
        assert_eq!(coding.key, is_known.then_some(key));
    }
}

#[test]
fn a_key_stream_that_neither_repeats_nor_stands_anywhere_is_unknown() {
    let (regions, _) = among_noise(&noise(6, 64));
    let coding = recognise(&samples(xored(&noise(7, 64))), &material(&regions));
    assert_eq!(coding, Coding::of(Cipher::Unknown));
}

#[test]
fn letters_may_turn_before_or_after_the_xor() {
    let regions = [(Address(0x400), vec![0xbe, 0xba, 0xfe, 0xca])];
    let after = samples(|text| xored(&[0x30])(&rot13(text)));
    let before = samples(|text| rot13(&xored(&[0x30])(text)));
    for samples in [after, before] {
        let coding = recognise(&samples, &material(&regions));
        assert_eq!(coding.cipher, Cipher::RotXor);
        assert_eq!(coding.effective_key, Some(0x30));
        assert_eq!(coding.key, Some(vec![0xca, 0xfe, 0xba, 0xbe]));
        assert_eq!(coding.key_address, Some(Address(0x400)));
    }
    assert_eq!(recognise(&samples(rot13), &nothing()).effective_key, Some(0));
}

#[test]
fn a_table_is_the_key_of_a_substitution() {
    let coded_for = shuffled();
    let plain_for: Vec<u8> =
        (0..=255).map(|coded| coded_for.iter().position(|b| *b == coded).unwrap() as u8).collect();
    let samples = samples(|text| text.iter().map(|byte| coded_for[usize::from(*byte)]).collect());
    let (regions, at) = among_noise(&plain_for);
    let coding = recognise(&samples, &material(&regions));
    assert_eq!(coding, Coding::keyed(Cipher::Substitution, at, &plain_for));
    assert_eq!(recognise(&samples, &nothing()), Coding::of(Cipher::Substitution));
    // Another table is none of this substitution's.
    let (other, _) = among_noise(&coded_for);
    assert_eq!(recognise(&samples, &material(&other)), Coding::of(Cipher::Substitution));
}

#[test]
fn a_byte_that_stands_for_two_is_no_substitution() {
    let mut samples =
        samples(|text| text.iter().map(|byte| shuffled()[usize::from(*byte)]).collect());
    samples[1].encoded[3] = samples[1].encoded[4];
    assert_eq!(recognise(&samples, &nothing()).cipher, Cipher::Unknown);
}

#[test]
fn digits_of_either_case_are_hexadecimal() {
    let lower = |text: &[u8]| text.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect();
    let upper = |text: &[u8]| text.iter().flat_map(|b| format!("{b:02X}").into_bytes()).collect();
    assert_eq!(recognise(&samples(lower), &nothing()), Coding::of(Cipher::Hex));
    assert_eq!(recognise(&samples(upper), &nothing()), Coding::of(Cipher::Hex));
    let in_slots = samples(|text| {
        let mut slot: Vec<u8> = upper(text);
        slot.resize(256, 0);
        slot
    });
    assert_eq!(recognise(&in_slots, &nothing()), Coding::of(Cipher::Hex));
    let mut wrong = samples(lower);
    wrong[2].encoded[1] ^= 1;
    assert_eq!(recognise(&wrong, &nothing()).cipher, Cipher::Unknown);
}
