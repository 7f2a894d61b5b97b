//! Tokens. The first byte chooses: any text; a valid token with edits; or a header and claims from the fuzzer, signed with a
//! valid key.

use api::clock::{Clock, ComparedClock};
use api::config::{Settings, Variables};
use api::service::tokens::TokenAuthority;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};

/// The current time, in Unix seconds.
const NOW: i64 = 1_772_600_767;
const SECRET: &str = "the secret of the fuzzed API that is long enough for anyone";
const ACCESS: &str = r#"{"token_type":"access","exp":1772604367,"iat":1772600767,"jti":"a1","sub":"1","user_id":"1","sid":"0198a2b4-7c1e-7000-8000-000000000001","role":"user"}"#;
const REFRESH: &str = r#"{"token_type":"refresh","exp":1773205567,"iat":1772600767,"jti":"r1","sub":"1","user_id":"1","sid":"0198a2b4-7c1e-7000-8000-000000000001","gen":1}"#;

/// The verifier, with a key of each kind.
static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// A clock that stands still, in Unix seconds.
#[derive(Debug)]
struct At(i64);

impl Clock for At {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.0, 0).expect("a time")
    }
}

struct World {
    tokens: TokenAuthority,
    keys: [Key; 3],
    /// Valid tokens, which are then edited.
    minted: Vec<String>,
}

struct Key {
    alg: &'static str,
    kid: Option<String>,
    signer: Signer,
}

enum Signer {
    Secret(Box<hmac::Key>),
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// Valid tokens are accepted. Any other accepted token is signed with a valid key and has the header and claims of the contract.
pub fn run(data: &[u8]) {
    let world = &*WORLD;
    match data.split_first() {
        Some((0, text)) => {
            let text = String::from_utf8_lossy(text);
            assert!(!world.accepts(&text), "an unsigned token is accepted: {text}");
        }
        Some((1, edits)) => world.edited(edits),
        Some((_, parts)) => world.signed(parts),
        None => {}
    }
}

impl World {
    fn new() -> Self {
        let ed25519 = Ed25519KeyPair::generate().expect("a key");
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let ring = [ed25519.to_pkcs8v1().expect("DER"), p256.to_pkcs8v1().expect("DER")];
        let ring =
            ring.map(|der| format!("-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY-----", STANDARD.encode(der)));
        let variables =
            Variables::default().with("SECRET_KEY", "another, for other uses").with("JWT_ALGORITHM", "EdDSA");
        let variables = variables.with("JWT_PRIVATE_KEY", ring.concat()).with("SECRET_KEY_FALLBACKS", SECRET);
        let settings = Settings::from_variables(variables).expect("settings");
        let tokens = TokenAuthority::new(&settings.keys, &settings.lifetimes, ComparedClock::new(Arc::new(At(NOW))));
        let kid = |index: usize| Some(tokens.key_set().keys[index].kid.clone());
        let secret = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let keys = [
            Key { alg: "HS256", kid: None, signer: Signer::Secret(Box::new(secret)) },
            Key { alg: "EdDSA", kid: kid(0), signer: Signer::Ed25519(ed25519) },
            Key { alg: "ES256", kid: kid(1), signer: Signer::P256(p256) },
        ];
        let minted = keys.iter().flat_map(|key| [ACCESS, REFRESH].map(|claims| key.sign(&key.header(), claims)));
        let minted: Vec<_> = minted.collect();
        let world = Self { tokens, keys, minted };
        for token in &world.minted {
            assert!(world.accepts(token), "a valid token is refused, so this target would find nothing");
        }
        world
    }

    fn accepts(&self, token: &str) -> bool {
        let as_access = self.tokens.verify_access(token).is_ok();
        let as_refresh = self.tokens.verify_refresh(token).is_ok();
        assert!(!(as_access && as_refresh), "both types at once: {token}");
        assert!(!as_refresh || self.tokens.verify_refresh_of_any_age(token).is_ok(), "refused for sign-out: {token}");
        as_access || as_refresh
    }

    /// The first byte chooses a token; then each edit is three bytes: a position, and the change.
    fn edited(&self, edits: &[u8]) {
        let Some((first, edits)) = edits.split_first() else { return };
        let valid = &self.minted[usize::from(*first) % self.minted.len()];
        let mut bytes = valid.clone().into_bytes();
        for edit in edits.chunks_exact(3) {
            let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % bytes.len();
            match edit[2] {
                0 => _ = bytes.remove(at),
                byte @ 1..=127 => bytes[at] = byte,
                byte => bytes.insert(at, byte - 128),
            }
            if bytes.is_empty() {
                return;
            }
        }
        let token = String::from_utf8_lossy(&bytes);
        assert!(!self.accepts(&token) || token == valid.as_str(), "an edited token is accepted: {token}");
    }

    /// The first byte chooses a key; then follow a header, a line end, and claims.
    fn signed(&self, parts: &[u8]) {
        let Some((first, parts)) = parts.split_first() else { return };
        let Some(end) = parts.iter().position(|byte| *byte == b'\n') else { return };
        let key = &self.keys[usize::from(*first) % self.keys.len()];
        let header = &parts[..end];
        let claims = &parts[end + 1..];
        let header = if header.is_empty() { key.header().into_bytes() } else { header.to_vec() };
        let token = key.sign_bytes(&header, claims);
        if self.accepts(&token) {
            assert!(token.len() <= 4096);
            assert!(header_is_valid(&header, key), "this header is accepted: {}", String::from_utf8_lossy(&header));
            assert!(
                claims_are_valid(claims).is_some(),
                "these claims are accepted: {}",
                String::from_utf8_lossy(claims)
            );
        }
    }
}

impl Key {
    fn header(&self) -> String {
        let mut header = json!({"typ": "JWT", "alg": self.alg});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        header.to_string()
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        self.sign_bytes(header.as_bytes(), claims.as_bytes())
    }

    fn sign_bytes(&self, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = match &self.signer {
            Signer::Secret(key) => hmac::sign(key, message.as_bytes()).as_ref().to_vec(),
            Signer::Ed25519(pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Signer::P256(pair) => pair.sign(&SystemRandom::new(), message.as_bytes()).expect("signs").as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The contract, written independently of the API's code.
fn header_is_valid(header: &[u8], key: &Key) -> bool {
    let Ok(header) = serde_json::from_slice::<Map<String, Value>>(header) else { return false };
    header.iter().all(|(name, value)| match name.as_str() {
        "alg" => value == key.alg,
        "typ" => value.is_null() || value == "JWT",
        "kid" => value.is_null() || value.as_str() == key.kid.as_deref(),
        _ => false,
    }) && header.contains_key("alg")
}

fn claims_are_valid(claims: &[u8]) -> Option<()> {
    let claims = serde_json::from_slice::<Map<String, Value>>(claims).ok()?;
    let text = |name: &str| claims.get(name)?.as_str();
    let exp = claims.get("exp")?.as_i64()?;
    let iat = claims.get("iat")?.as_i64()?;
    let in_time = exp > NOW && iat <= NOW + 60 && exp > iat && exp - iat <= 90 * 24 * 3600;
    let begun = claims.get("nbf").is_none_or(|nbf| nbf.is_null() || nbf.as_i64().is_some_and(|nbf| nbf <= NOW + 60));
    let user = text("sub")?;
    let is_number =
        !user.starts_with('0') && user.bytes().all(|byte| byte.is_ascii_digit()) && user.parse::<i64>().is_ok();
    let of_its_type = match text("token_type")? {
        "access" => matches!(text("role")?, "user" | "admin"),
        "refresh" => claims.get("gen")?.as_i64()? >= 1,
        _ => false,
    };
    let named =
        (1..=64).contains(&text("jti")?.chars().count()) && text("user_id")? == user && text("sid")?.len() >= 32;
    (in_time && begun && is_number && of_its_type && named).then_some(())
}
