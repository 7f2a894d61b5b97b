//! The two kinds of key pairs that sign tokens.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, VerificationAlgorithm,
};

/// The kind of a key pair; each signs in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// Signs `EdDSA` (RFC 8037).
    Ed25519,
    /// Signs `ES256` (RFC 7518, section 3.4).
    P256,
}

impl Curve {
    pub(super) const ALL: [Self; 2] = [Self::Ed25519, Self::P256];

    /// What `JWT_ALGORITHM` and the header of a token say.
    #[must_use]
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::P256 => "ES256",
        }
    }

    /// Makes a key.
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Ed25519 => "openssl genpkey -algorithm ed25519",
            Self::P256 => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        }
    }

    /// What a public key's DER has before its point: it is always the same (RFC 8410, section 4; RFC 5480, section 2).
    const fn public_prefix(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
            Self::P256 => {
                b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"
            }
        }
    }

    const fn point_bytes(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::P256 => 65,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ed25519 => &ED25519,
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
        }
    }

    /// The point of a PKCS#8 private key, if it is one of this curve.
    pub(super) fn point_of_private(self, der: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ed25519 => Some(Ed25519KeyPair::from_pkcs8(der).ok()?.public_key().as_ref().to_vec()),
            Self::P256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()?;
                Some(pair.public_key().as_ref().to_vec())
            }
        }
    }

    /// The point of a public key, if it is one of this curve and lies on it.
    pub(super) fn point_of_public(self, der: &[u8]) -> Option<Vec<u8>> {
        let point = der.strip_prefix(self.public_prefix()).filter(|point| point.len() == self.point_bytes())?;
        ParsedPublicKey::new(self.verification(), point).ok()?;
        (self != Self::Ed25519 || is_safe(point)).then(|| point.to_vec())
    }
}

/// The field's prime, 2^255 - 19, with the lowest byte first.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    prime
};

/// Two of the five `y` of small order; the others are 0, 1 and -1 (RFC 7748, section 7; draft-irtf-cfrg-eddsa, appendix).
const SMALL_ORDER: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether a point of Ed25519 is encoded in the one right way (RFC 8032, section 5.1.3), and not one of the eight of small
/// order: with one of these as the public key, signatures can be made that hold for any message, without any private key.
fn is_safe(point: &[u8]) -> bool {
    let Ok(mut y) = <[u8; 32]>::try_from(point) else { return false };
    y[31] &= 0x7f; // the sign of x
    let is_canonical = y.iter().rev().lt(PRIME.iter().rev());
    let number = |low: u8| std::array::from_fn::<u8, 32, _>(|index| if index == 0 { low } else { 0 });
    let mut minus_one = PRIME;
    minus_one[0] -= 1;
    is_canonical && ![number(0), number(1), minus_one].contains(&y) && !SMALL_ORDER.contains(&y)
}

#[cfg(test)]
mod tests {
    use super::{Curve, PRIME, SMALL_ORDER, is_safe};

    fn with_sign(mut point: [u8; 32]) -> [u8; 32] {
        point[31] |= 0x80;
        point
    }

    #[test]
    fn keys_that_anybody_can_sign_for_are_refused() {
        let low = |byte: u8, mut rest: [u8; 32]| {
            rest[0] = byte;
            rest
        };
        let mut weak = vec![low(0, [0; 32]), low(1, [0; 32])];
        weak.extend(SMALL_ORDER);
        // -1, and all that is not below the prime.
        weak.extend((0xec..=0xff).map(|byte| low(byte, PRIME)));
        for point in weak.iter().flat_map(|point| [*point, with_sign(*point)]) {
            assert!(!is_safe(&point), "{point:02x?}");
            let der = [Curve::Ed25519.public_prefix(), &point].concat();
            assert_eq!(Curve::Ed25519.point_of_public(&der), None, "{point:02x?}");
        }
        // The base point, and the key of RFC 8032, section 7.1, test 1.
        let base = low(0x58, [0x66; 32]);
        assert!(is_safe(&base));
        let key = b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
        assert!(is_safe(key));
    }
}
