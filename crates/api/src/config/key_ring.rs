//! `JWT_PRIVATE_KEY`: a ring of key pairs in PEM. The first signs, all verify.

use super::curve::Curve;
use super::declare::variables;
use super::pem::{self, PemBlock};
use super::reader::SettingsReader;
use super::row::doc;
use super::variable::{Optional, Variable, text, word};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretSlice;

variables! {
    JWT_ALGORITHM: Variable<Option<Curve>> = word(
        &[("HS256", None), ("EdDSA", Some(Curve::Ed25519)), ("ES256", Some(Curve::P256))],
        doc("How tokens are signed. `HS256` with `SECRET_KEY`, the others with a key pair: see [Keys](../guides/keys.md)."),
    );
    JWT_PRIVATE_KEY: Optional<String> = text(
        doc(
            "Keys in PEM, for `EdDSA` and `ES256`. The first is a PKCS#8 private key that signs; line ends may be written as \
             `\\n`. With `HS256` only public keys are accepted.",
        )
        .secret(),
    );
}

/// Key pairs and public keys. Empty with `HS256`, unless tokens of an earlier pair must still verify.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    /// Signs instead of the secret key: the first key, unless the algorithm is `HS256`.
    pub signing: Option<PrivateKey>,
    /// The published keys that verify: every key's public half, the signing key's first.
    pub public: Vec<PublicKey>,
}

/// A key that signs.
#[derive(Debug, Clone)]
pub struct PrivateKey {
    pub public: PublicKey,
    /// DER (RFC 5958).
    pub pkcs8: SecretSlice<u8>,
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub curve: Curve,
    /// Ed25519: 32 bytes (RFC 8032, section 5.1.5). P-256: 0x04, x and y (SEC 1, section 2.3.3).
    pub point: Vec<u8>,
}

/// What is wrong with a key, and how to fix it. The message has nothing of the key itself.
#[derive(Debug, thiserror::Error)]
enum KeyProblem {
    #[error("is encrypted; decrypt it with `openssl pkey -in FILE`")]
    Encrypted,
    #[error("is not a PKCS#8 private key or a public key; convert it with `openssl pkcs8 -topk8 -nocrypt -in FILE`")]
    OtherForm,
    #[error("is an RSA key; use Ed25519 or P-256")]
    Rsa,
    #[error("is on the curve P-384; use Ed25519 or P-256")]
    P384,
    #[error("is damaged, or neither Ed25519 nor P-256")]
    Unknown,
    #[error("is listed twice; remove one")]
    Twice,
    #[error("is public; the first key signs, so it must be a private one")]
    SignerIsPublic,
    #[error(
        "signs {has}, not {wants}; set JWT_ALGORITHM={has} or make one with `{command}`",
        has = .found.algorithm(), wants = .wanted.algorithm(), command = .wanted.command()
    )]
    SignerIsOther { found: Curve, wanted: Curve },
    #[error("is private, and HS256 signs with SECRET_KEY; set JWT_ALGORITHM=EdDSA or ES256, or leave public keys only")]
    PrivateWithoutUse,
}

/// A key of the ring.
struct RingKey {
    public: PublicKey,
    /// DER, when the key is a private one.
    pkcs8: Option<Vec<u8>>,
}

/// How a key of the ring is used.
#[derive(Clone, Copy)]
enum KeyUse {
    /// Signs: the first key, which must be of this curve.
    Signs(Curve),
    Verifies,
    /// The secret key signs; tokens of an earlier pair still verify.
    WithSecretKey,
}

pub(super) fn read(reader: &mut SettingsReader) -> KeyRing {
    let signs = reader.get(&JWT_ALGORITHM);
    match (reader.find(&JWT_PRIVATE_KEY), signs) {
        (Some(text), signs) => fill(reader, &text, signs),
        (None, Some(curve)) => {
            let name = curve.algorithm();
            let command = curve.command();
            reader.problem(
                JWT_PRIVATE_KEY.name(),
                format_args!("is missing; {name} signs with one, made by `{command}`"),
            );
            KeyRing::default()
        }
        (None, None) => KeyRing::default(),
    }
}

/// Reports each key that cannot be used as a problem of its own.
fn fill(reader: &mut SettingsReader, text: &str, signs: Option<Curve>) -> KeyRing {
    let mut ring = KeyRing::default();
    let Some(blocks) = pem::blocks(text) else {
        reader
            .problem(JWT_PRIVATE_KEY.name(), "is not PEM: whole blocks from -----BEGIN to -----END, and nothing else");
        return ring;
    };
    for (index, block) in blocks.iter().enumerate() {
        let key_use = match signs {
            None => KeyUse::WithSecretKey,
            Some(curve) if index == 0 => KeyUse::Signs(curve),
            Some(_) => KeyUse::Verifies,
        };
        if let Err(problem) = parse(block).and_then(|key| add(&mut ring, key, key_use)) {
            reader.problem(JWT_PRIVATE_KEY.name(), format_args!("key {} {problem}", index + 1));
        }
    }
    ring
}

fn parse(block: &PemBlock) -> Result<RingKey, KeyProblem> {
    let is_private = match block.label.as_str() {
        "PRIVATE KEY" => true,
        "PUBLIC KEY" => false,
        "ENCRYPTED PRIVATE KEY" => return Err(KeyProblem::Encrypted),
        // The older form has a line `Proc-Type: 4,ENCRYPTED` (RFC 1421, section 4.6.1.1).
        _ if block.body.contains("4,ENCRYPTED") => return Err(KeyProblem::Encrypted),
        _ => return Err(KeyProblem::OtherForm),
    };
    let der = STANDARD.decode(&block.body).map_err(|_| KeyProblem::Unknown)?;
    let point = |curve: Curve| if is_private { curve.point_of_private(&der) } else { curve.point_of_public(&der) };
    let public = Curve::ALL.into_iter().find_map(|curve| Some(PublicKey { curve, point: point(curve)? }));
    let public = public.ok_or_else(|| other_kind(&der))?;
    Ok(RingKey { public, pkcs8: is_private.then_some(der) })
}

/// Recognises the other kinds that people use, by their object identifiers.
fn other_kind(der: &[u8]) -> KeyProblem {
    let names = |id: &[u8]| der.windows(id.len()).any(|bytes| bytes == id);
    if names(b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01") {
        KeyProblem::Rsa
    } else if names(b"\x2b\x81\x04\x00\x22") {
        KeyProblem::P384
    } else {
        KeyProblem::Unknown
    }
}

/// Adds a key to the ring, if it fits its use.
fn add(ring: &mut KeyRing, key: RingKey, key_use: KeyUse) -> Result<(), KeyProblem> {
    let curve = key.public.curve;
    if ring.public.contains(&key.public) {
        return Err(KeyProblem::Twice);
    }
    match (key_use, key.pkcs8) {
        (KeyUse::Signs(wanted), Some(_)) if wanted != curve => {
            return Err(KeyProblem::SignerIsOther { found: curve, wanted });
        }
        (KeyUse::Signs(_), Some(pkcs8)) => {
            ring.signing = Some(PrivateKey { public: key.public.clone(), pkcs8: pkcs8.into() });
        }
        (KeyUse::Signs(_), None) => return Err(KeyProblem::SignerIsPublic),
        (KeyUse::WithSecretKey, Some(_)) => return Err(KeyProblem::PrivateWithoutUse),
        (KeyUse::WithSecretKey, None) | (KeyUse::Verifies, _) => {}
    }
    ring.public.push(key.public);
    Ok(())
}
