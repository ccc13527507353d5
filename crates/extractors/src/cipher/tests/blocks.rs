//! Block ciphers.

use super::*;
use aes::Aes128Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use std::num::Wrapping;

const DELTA: u32 = 0x9e37_79b9;

/// Zeros behind the text, up to whole blocks.
fn padded(text: &[u8], block: usize) -> Vec<u8> {
    let mut padded = text.to_vec();
    padded.resize(text.len().next_multiple_of(block), 0);
    padded
}

fn words(bytes: &[u8]) -> Vec<Wrapping<u32>> {
    let word = |bytes: &[u8]| Wrapping(u32::from_le_bytes(bytes.try_into().unwrap()));
    bytes.chunks_exact(4).map(word).collect()
}

fn bytes(words: &[Wrapping<u32>]) -> Vec<u8> {
    words.iter().flat_map(|word| word.0.to_le_bytes()).collect()
}

fn xtea(key: &[u8], delta: u32, rounds: u32) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = words(key);
    move |text| {
        let block = |block: &[u8]| {
            let block = words(block);
            let (mut left, mut right, mut sum) = (block[0], block[1], Wrapping(0_u32));
            for _ in 0..rounds {
                left += ((right << 4 ^ right >> 5) + right) ^ (sum + key[sum.0 as usize & 3]);
                sum += delta;
                right += ((left << 4 ^ left >> 5) + left) ^ (sum + key[sum.0 as usize >> 11 & 3]);
            }
            bytes(&[left, right])
        };
        padded(text, 8).chunks_exact(8).flat_map(block).collect()
    }
}

fn xxtea(key: &[u8], delta: u32) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = words(key);
    move |text| {
        let mut v = words(&padded(text, if text.len() < 8 { 8 } else { 4 }));
        let (n, mut sum) = (v.len(), Wrapping(0_u32));
        for _ in 0..6 + 52 / n {
            sum += delta;
            for p in 0..n {
                let (z, y) = (v[(p + n - 1) % n], v[(p + 1) % n]);
                let word = key[(p & 3) ^ (sum.0 as usize >> 2 & 3)];
                v[p] += ((z >> 5 ^ y << 2) + (y >> 3 ^ z << 4)) ^ ((sum ^ y) + (word ^ z));
            }
        }
        bytes(&v)
    }
}

fn aes(key: [u8; 16], vector: [u8; 16]) -> impl Fn(&[u8]) -> Vec<u8> {
    move |text| {
        let cipher = Aes128Enc::new(&key.into());
        let mut before = vector;
        let block = |block: &[u8]| {
            let mixed: Vec<u8> = block.iter().zip(before).map(|(a, b)| a ^ b).collect();
            let mut block = aes::Block::try_from(&mixed[..]).unwrap();
            cipher.encrypt_block(&mut block);
            before = block.into();
            before
        };
        padded(text, 16).chunks_exact(16).flat_map(block).collect()
    }
}

fn with_delta(delta: u32, coding: Coding) -> Coding {
    Coding { delta: Some(delta), ..coding }
}

#[test]
fn xtea_decrypts_the_published_vectors() {
    // Bouncy Castle's and Crypto++'s, words most significant byte first.
    let key: [u8; 16] = digits("000102030405060708090a0b0c0d0e0f");
    let encoded: [u8; 16] = digits("497df3d072612cb5 e78f2d13744341d8");
    let sample = Sample { encoded: encoded.to_vec(), decoded: b"ABCDEFGHAAAAAAAA".to_vec() };
    let (regions, at) = among_noise(&key);
    assert_eq!(
        recognise(&[sample], &material(&regions)),
        with_delta(DELTA, Coding::keyed(Cipher::Xtea, at, &key))
    );
}

#[test]
fn xtea_may_have_a_delta_and_rounds_of_its_own() {
    let key = noise(40, 16);
    let (regions, at) = among_noise(&key);
    let delta = 0x2e56_73eb;
    for rounds in [8, 16, 32, 64] {
        let samples = samples(xtea(&key, delta, rounds));
        let expected = with_delta(delta, Coding::keyed(Cipher::Xtea, at, &key));
        // As the code has it, or as the compiler may have turned it.
        for constant in [delta, delta.wrapping_neg()] {
            let known = Material { constants: &[3, constant], ..material(&regions) };
            assert_eq!(recognise(&samples, &known), expected);
        }
        let mut with_pool = regions.clone();
        with_pool.push((Address(0xc000), delta.to_le_bytes().to_vec()));
        assert_eq!(recognise(&samples, &material(&with_pool)), expected);
        assert_eq!(recognise(&samples, &material(&regions)), Coding::of(Cipher::Unknown));
    }
}

#[test]
fn blocks_that_are_cut_off_are_not_needed() {
    let key = noise(41, 16);
    let (regions, at) = among_noise(&key);
    let cut: Vec<Sample> = samples(xtea(&key, DELTA, 32))
        .into_iter()
        .map(|sample| Sample { encoded: sample.encoded[..sample.decoded.len()].to_vec(), ..sample })
        .collect();
    assert_eq!(
        recognise(&cut, &material(&regions)),
        with_delta(DELTA, Coding::keyed(Cipher::Xtea, at, &key))
    );
}

#[test]
fn xxtea_decrypts_the_published_vectors() {
    let key: [u8; 16] = digits("0102040810204080fffefcf8f0e0c080");
    let pairs: [([u8; 8], [u8; 8]); 2] = [
        (digits("d1e78be2c746728a"), [0; 8]),
        (digits("8c3707c01c7fccc4"), digits("fffefcf8f0e0c080")),
    ];
    let samples =
        pairs.map(|(coded, text)| Sample { encoded: coded.to_vec(), decoded: text.to_vec() });
    let (regions, at) = among_noise(&key);
    assert_eq!(
        recognise(&samples, &material(&regions)),
        with_delta(DELTA, Coding::keyed(Cipher::Xxtea, at, &key))
    );
}

#[test]
fn xxtea_works_on_whole_texts() {
    let key = noise(42, 16);
    let (regions, at) = among_noise(&key);
    let expected = Coding::keyed(Cipher::Xxtea, at, &key);
    for delta in [DELTA, 0x1234_5677] {
        let known = Material { constants: &[0x1234_5677], ..material(&regions) };
        let mut samples = samples(xxtea(&key, delta));
        assert_eq!(recognise(&samples, &known), with_delta(delta, expected.clone()));
        // What stands behind a text does no harm.
        for sample in &mut samples {
            sample.encoded.extend(noise(43, 8));
        }
        assert_eq!(recognise(&samples, &known), with_delta(delta, expected.clone()));
    }
}

#[test]
fn aes_decrypts_the_example_of_nist() {
    // SP 800-38A, F.2.1.
    let key: [u8; 16] = digits("2b7e151628aed2a6abf7158809cf4f3c");
    let vector: [u8; 16] = digits("000102030405060708090a0b0c0d0e0f");
    let decoded: [u8; 64] = digits(
        "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710",
    );
    let encoded: [u8; 64] = digits(
        "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2
         73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7",
    );
    let sample = Sample { encoded: encoded.to_vec(), decoded: decoded.to_vec() };
    let (regions, at) = among_noise(&key);
    let expected = Coding::keyed(Cipher::Aes128Cbc, at, &key);
    assert_eq!(
        recognise(&[sample], &material(&regions)),
        Coding { nonce: Some(vector.to_vec()), ..expected }
    );
}

#[test]
fn the_vector_of_short_texts_is_completed_from_the_constants() {
    let (key, vector): ([u8; 16], [u8; 16]) =
        (noise(44, 16).try_into().unwrap(), noise(45, 16).try_into().unwrap());
    let (mut regions, at) = among_noise(&key);
    let short = |text: &[u8]| Sample { encoded: aes(key, vector)(text), decoded: text.to_vec() };
    let texts = [short(b"ncorrect\0"), short(b"/proc/self\0"), short(b"assword\0")];
    let keyed = Coding::keyed(Cipher::Aes128Cbc, at, &key);
    assert_eq!(recognise(&texts, &material(&regions)), keyed);
    regions.push((Address(0xb000), [noise(46, 9), vector.to_vec(), noise(47, 3)].concat()));
    let whole = Coding { nonce: Some(vector.to_vec()), ..keyed };
    assert_eq!(recognise(&texts, &material(&regions)), whole);
    // One block needs the vector to show anything.
    assert_eq!(recognise(&texts[1..2], &material(&regions)), whole);
    regions.pop();
    assert_eq!(recognise(&texts[1..2], &material(&regions)), Coding::of(Cipher::Unknown));
}

#[test]
fn wrong_keys_are_not_named() {
    let key: [u8; 16] = noise(48, 16).try_into().unwrap();
    let mut other = key;
    other[9] ^= 0x10;
    let (regions, _) = among_noise(&other);
    let unknown = Coding::of(Cipher::Unknown);
    assert_eq!(recognise(&samples(xtea(&key, DELTA, 32)), &material(&regions)), unknown);
    assert_eq!(recognise(&samples(xxtea(&key, DELTA)), &material(&regions)), unknown);
    assert_eq!(recognise(&samples(aes(key, key)), &material(&regions)), unknown);
}

#[test]
fn one_text_that_does_not_decode_is_enough_to_refuse_a_key() {
    let key: [u8; 16] = noise(49, 16).try_into().unwrap();
    let (regions, _) = among_noise(&key);
    for mut samples in
        [samples(xtea(&key, DELTA, 32)), samples(xxtea(&key, DELTA)), samples(aes(key, key))]
    {
        samples[4].decoded[2] ^= 1;
        assert_eq!(recognise(&samples, &material(&regions)), Coding::of(Cipher::Unknown));
    }
}
