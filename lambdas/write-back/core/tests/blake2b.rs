//! The MAC's building block against 22 vectors: RFC 7693, the official keyed test vectors, and the results of Python's hashlib.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot continue")]

use blake2::digest::array::ArraySize;
use blake2::digest::consts::{U1, U16, U32, U64};
use blake2::digest::typenum::{IsLessOrEqual, True};
use blake2::digest::{FixedOutput, Update};
use blake2::{Blake2b512, Blake2bMac, Digest};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    name: String,
    key: String,
    message: String,
    repeat: usize,
    personalization: String,
    salt: String,
    digest: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn mac<Size>(vector: &Vector) -> Vec<u8>
where
    Size: ArraySize + IsLessOrEqual<U64, Output = True>,
{
    let (key, salt, personalization) = (bytes(&vector.key), bytes(&vector.salt), bytes(&vector.personalization));
    let mut mac = Blake2bMac::<Size>::new_with_salt_and_personal(Some(&key), &salt, &personalization).unwrap();
    mac.update(&bytes(&vector.message).repeat(vector.repeat));
    mac.finalize_fixed().to_vec()
}

#[test]
fn every_vector_reproduces() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("blake2b.json")).unwrap();
    assert_eq!(vectors.len(), 22);
    for vector in vectors {
        let digest = match (vector.key.is_empty(), vector.digest.len() / 2) {
            (true, 64) => Blake2b512::digest(bytes(&vector.message)).to_vec(),
            (false, 1) => mac::<U1>(&vector),
            (false, 16) => mac::<U16>(&vector),
            (false, 32) => mac::<U32>(&vector),
            (false, 64) => mac::<U64>(&vector),
            other => panic!("{}: {other:?}", vector.name),
        };
        assert_eq!(digest, bytes(&vector.digest), "{}", vector.name);
    }
}
