//! The two kinds of key pairs that sign tokens.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, VerificationAlgorithm,
};
use curve25519_dalek::edwards::CompressedEdwardsY;

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

    /// Its name in `JWT_ALGORITHM` and in the header of a token.
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::P256 => "ES256",
        }
    }

    /// The command that makes a key.
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Ed25519 => "openssl genpkey -algorithm ed25519",
            Self::P256 => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        }
    }

    /// The constant bytes before the point in a public key's DER (RFC 8410, section 4; RFC 5480, section 2).
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

/// Whether a point of Ed25519 lies on the curve, has the canonical encoding (RFC 8032, section 5.1.3), and is not one of the
/// eight of small order: with one of these as the public key, anyone can make signatures that are valid for any message.
fn is_safe(encoded: &[u8]) -> bool {
    let Ok(encoded) = CompressedEdwardsY::from_slice(encoded) else { return false };
    encoded.decompress().is_some_and(|point| point.compress() == encoded && !point.is_small_order())
}

#[cfg(test)]
mod tests {
    use super::{Curve, is_safe};
    use curve25519_dalek::constants::EIGHT_TORSION;

    /// A little-endian number.
    const fn number(low: u8, middle: u8, high: u8) -> [u8; 32] {
        let mut number = [middle; 32];
        (number[0], number[31]) = (low, high);
        number
    }

    fn with_sign(mut point: [u8; 32]) -> [u8; 32] {
        point[31] |= 0x80;
        point
    }

    #[track_caller]
    fn refused(point: &[u8; 32]) {
        assert!(!is_safe(point), "{point:02x?}");
        let der = [Curve::Ed25519.public_prefix(), point].concat();
        assert_eq!(Curve::Ed25519.point_of_public(&der), None, "{point:02x?}");
    }

    #[test]
    fn keys_that_anyone_can_sign_for_are_refused() {
        let of_small_order = EIGHT_TORSION.map(|point| point.compress().to_bytes());
        // The prime, 2^255 - 19, and above.
        let encoded_otherwise = (0xed..=0xff).map(|low| number(low, 0xff, 0x7f));
        for point in of_small_order.into_iter().chain(encoded_otherwise) {
            refused(&point);
            refused(&with_sign(point));
        }
        // The base point, and the key of RFC 8032, section 7.1, test 1.
        assert!(is_safe(&number(0x58, 0x66, 0x66)));
        let key = b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
        assert!(is_safe(key));
    }

    #[test]
    fn a_key_that_is_not_a_point_of_the_curve_is_refused() {
        refused(&number(2, 0, 0));
        let off = (3..=40).map(|low| number(low, 0, 0)).filter(|point| !is_safe(point)).count();
        assert!((10..30).contains(&off), "about half of all numbers are not the y of a point: {off} of 38");
    }
}
