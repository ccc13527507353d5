//! The ciphers against published vectors.

#![allow(clippy::unwrap_used)]

use super::{
    Form, aes, chacha20,
    rc4::KeyStream,
    tea::{self, DELTA},
};

fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    hex::decode(digits.replace(' ', "")).unwrap().try_into().unwrap()
}

#[test]
fn rc4_gives_the_streams_of_rfc_6229() {
    // 40-bit key, offset 0; 128-bit key, offsets 0 and 240.
    let stream: Vec<u8> = KeyStream::new(&[1, 2, 3, 4, 5], Form::Plain).take(16).collect();
    assert_eq!(stream, bytes::<16>("b2 39 63 05 f0 3d c0 27 cc c3 52 4a 0a 11 18 a8"));
    let key: Vec<u8> = (1..=16).collect();
    let stream: Vec<u8> = KeyStream::new(&key, Form::Plain).take(256).collect();
    assert_eq!(stream[..16], bytes::<16>("9a c7 cc 9a 60 9d 1e f7 b2 93 28 99 cd e4 1b 97"));
    assert_eq!(stream[240..], bytes::<16>("06 59 02 e4 b6 20 f6 cc 36 c8 58 9f 66 43 2f 2b"));
}

#[test]
fn the_changes_of_rc4_begin_where_the_published_one_does_not() {
    let key = [7u8; 16];
    let first = |form| KeyStream::new(&key, form).take(8).collect::<Vec<u8>>();
    assert_ne!(first(Form::Plain), first(Form::Carried));
    assert_ne!(first(Form::Plain), first(Form::Passes(1)));
    assert_ne!(first(Form::Passes(1)), first(Form::Passes(2)));
}

#[test]
fn chacha20_encrypts_the_example_of_rfc_8439() {
    // Section 2.4.2.
    let key: [u8; 32] = std::array::from_fn(|index| index as u8);
    let nonce = bytes("000000000000004a00000000");
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                 the future, sunscreen would be it.";
    let coded: Vec<u8> = text
        .iter()
        .zip(chacha20::key_stream(&key, &nonce, 1))
        .map(|(byte, key)| byte ^ key)
        .collect();
    assert_eq!(coded[..16], bytes::<16>("6e 2e 35 9a 25 68 f9 80 41 ba 07 28 dd 0d 69 81"));
    assert_eq!(coded[112..], bytes::<2>("87 4d"));
}

#[test]
fn xtea_encrypts_the_published_vectors() {
    let key = [0x0001_0203, 0x0405_0607, 0x0809_0a0b, 0x0c0d_0e0f];
    let coded = tea::xtea_block([0x4142_4344, 0x4546_4748], &key, DELTA);
    assert_eq!(coded, [0x497d_f3d0, 0x7261_2cb5]);
    let coded = tea::xtea_block([0x4141_4141, 0x4141_4141], &key, DELTA);
    assert_eq!(coded, [0xe78f_2d13, 0x7443_41d8]);
}

#[test]
fn xxtea_encrypts_the_published_vectors() {
    let zero = tea::xxtea(&[0; 8], &[0; 16]);
    assert_eq!(zero, bytes::<8>("ab 04 37 05 80 8c 5d 57"));
    let key = bytes("0102040810204080fffefcf8f0e0c080");
    assert_eq!(tea::xxtea(&[0; 8], &key), bytes::<8>("d1 e7 8b e2 c7 46 72 8a"));
}

#[test]
fn aes_encrypts_the_examples_of_nist() {
    // SP 800-38A, F.2.1, the first two blocks.
    let key = bytes("2b7e151628aed2a6abf7158809cf4f3c");
    let vector = bytes("000102030405060708090a0b0c0d0e0f");
    let text: [u8; 32] = bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
    assert_eq!(
        aes::encrypt_cbc(&text, &key, &vector),
        bytes::<32>("7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2")
    );
}
