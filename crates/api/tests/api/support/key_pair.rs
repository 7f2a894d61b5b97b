//! Key pairs for tests, and tokens signed with them.

use super::forge::encode;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A key pair of one of the two algorithms.
#[derive(Debug)]
pub enum KeyPair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
}

impl KeyPair {
    pub fn ed_dsa() -> Self {
        Self::EdDsa(Ed25519KeyPair::generate().unwrap())
    }

    pub fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// One of each kind.
    pub fn both() -> [Self; 2] {
        [Self::ed_dsa(), Self::es256()]
    }

    /// A new pair of the same kind.
    pub fn another(&self) -> Self {
        match self {
            Self::EdDsa(_) => Self::ed_dsa(),
            Self::Es256(_) => Self::es256(),
        }
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::EdDsa(_) => "EdDSA",
            Self::Es256(_) => "ES256",
        }
    }

    pub fn private_pem(&self) -> String {
        let der = match self {
            Self::EdDsa(pair) => pair.to_pkcs8v1().unwrap(),
            Self::Es256(pair) => pair.to_pkcs8v1().unwrap(),
        };
        pem("PRIVATE KEY", der.as_ref())
    }

    pub fn public_pem(&self) -> String {
        let prefix: &[u8] = match self {
            Self::EdDsa(_) => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
            Self::Es256(_) => {
                b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"
            }
        };
        pem("PUBLIC KEY", &[prefix, self.point()].concat())
    }

    pub fn point(&self) -> &[u8] {
        match self {
            Self::EdDsa(pair) => pair.public_key().as_ref(),
            Self::Es256(pair) => pair.public_key().as_ref(),
        }
    }

    /// The secret part of the private key.
    pub fn seed(&self) -> Vec<u8> {
        match self {
            Self::EdDsa(pair) => pair.seed().unwrap().as_be_bytes().unwrap().as_ref().to_vec(),
            Self::Es256(pair) => pair.private_key().as_be_bytes().unwrap().as_ref().to_vec(),
        }
    }

    /// The public key as the API publishes it.
    pub fn json_web_key(&self) -> Value {
        let mut key = match self {
            Self::EdDsa(_) => json!({"crv": "Ed25519", "kty": "OKP", "x": encode(self.point())}),
            Self::Es256(_) => {
                let (x, y) = self.point()[1..].split_at(32);
                json!({"crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y)})
            }
        };
        // serde_json sorts members by name, as RFC 7638 wants them.
        key["kid"] = json!(encode(digest(&SHA256, key.to_string().as_bytes())));
        key["use"] = json!("sig");
        key["alg"] = json!(self.algorithm());
        key
    }

    pub fn kid(&self) -> String {
        self.json_web_key()["kid"].as_str().unwrap().to_owned()
    }

    /// The header of the API's tokens.
    pub fn header(&self) -> Value {
        json!({"typ": "JWT", "alg": self.algorithm(), "kid": self.kid()})
    }

    pub fn signature(&self, message: &str) -> Vec<u8> {
        match self {
            Self::EdDsa(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
        }
    }

    /// Header, payload and the signature of both.
    pub fn sign(&self, header: &Value, payload: &str) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(payload));
        let signature = encode(self.signature(&message));
        format!("{message}.{signature}")
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
