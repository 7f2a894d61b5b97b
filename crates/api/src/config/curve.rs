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
        Some(point.to_vec())
    }
}
