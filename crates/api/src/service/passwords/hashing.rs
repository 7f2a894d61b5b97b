//! Passwords in Django's encodings, so that migrated users keep their passwords.

use aws_lc_rs::{digest, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use std::num::NonZeroU32;

/// Django's `BCryptSHA256PasswordHasher`: `bcrypt_sha256$$2b$12$…`.
const BCRYPT_SHA256: &str = "bcrypt_sha256$";
/// Django's `PBKDF2PasswordHasher`: `pbkdf2_sha256$ITERATIONS$SALT$HASH`.
const PBKDF2_SHA256: &str = "pbkdf2_sha256$";
/// Maximum cost of a stored hash, unless more is configured: some seconds to compare. A hash with a higher one is damaged, and
/// would occupy a thread for hours.
const MAX_BCRYPT_COST: u32 = 16;
/// The hash that an unknown user's password is compared with: no password matches it.
pub const DUMMY_HASH: &str = "!";

/// The result of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordVerdict {
    Right,
    /// Right, but the encoding is outdated: encode it again.
    RightButOutdated,
    Wrong,
}

/// Encodes a password. Takes a considerable part of a second, so it runs only in the hashing pool.
///
/// SHA-256 comes first, because bcrypt reads only 72 bytes.
///
/// # Errors
/// When the cost is outside bcrypt's range (4 to 31) or the system provides no random bytes.
pub fn hash(password: &str, cost: u32) -> Result<String, bcrypt::BcryptError> {
    // The test of enumeration compares these trace lines, and those of `verify` and `strength::check_strength`: they show
    // the work.
    log::trace!("passwords.bcrypt: cost {cost}");
    Ok(format!("{BCRYPT_SHA256}{}", bcrypt::hash(sha256_hex(password), cost)?))
}

/// Compares a password with a stored encoding. Only in the hashing pool.
///
/// Every verdict takes at least the work of `cost`, for any encoding, so that the time of a refusal does not show whether
/// there is an account and how old its password is. This includes `Right`: an inactive user's right password is refused as
/// well, and must not be faster.
pub fn verify(password: &str, encoded: &str, cost: u32) -> PasswordVerdict {
    let (verdict, spent) = compare(password, encoded, cost);
    let work = spent.map_or(0, rounds) + spend_rest(password, spent, cost);
    log::trace!("passwords.bcrypt: cost {}", work.checked_ilog2().unwrap_or_default());
    verdict
}

/// The verdict, and the bcrypt cost that was spent, if any.
fn compare(password: &str, encoded: &str, cost: u32) -> (PasswordVerdict, Option<u32>) {
    if let Some(hash) = encoded.strip_prefix(BCRYPT_SHA256) {
        let stored = hash.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost());
        let Some(stored) = stored.ok().filter(|stored| *stored <= MAX_BCRYPT_COST.max(cost)) else {
            return (PasswordVerdict::Wrong, None);
        };
        let is_right = bcrypt::verify(sha256_hex(password), hash).unwrap_or(false);
        return match is_right {
            true if stored == cost => (PasswordVerdict::Right, Some(stored)),
            true => (PasswordVerdict::RightButOutdated, Some(stored)),
            false => (PasswordVerdict::Wrong, Some(stored)),
        };
    }
    match encoded.strip_prefix(PBKDF2_SHA256) {
        Some(rest) if verify_pbkdf2(password, rest) => (PasswordVerdict::RightButOutdated, None),
        _ => (PasswordVerdict::Wrong, None),
    }
}

/// Spends the rest of the work of `cost`, and returns how many rounds that took, for the trace line. Each step of bcrypt's cost
/// doubles the work, so that the steps from `spent` up to, but excluding, `cost` add up to the rest.
fn spend_rest(password: &str, spent: Option<u32>, cost: u32) -> u64 {
    let missing = spent.map_or(cost..cost + 1, |spent| spent..cost);
    let hash_once = |step| {
        std::hint::black_box(bcrypt::bcrypt(step, [0; 16], sha256_hex(password).as_bytes()));
        rounds(step)
    };
    missing.map(hash_once).sum()
}

/// The rounds of a cost.
fn rounds(cost: u32) -> u64 {
    1_u64.checked_shl(cost).unwrap_or(u64::MAX)
}

fn verify_pbkdf2(password: &str, rest: &str) -> bool {
    let mut parts = rest.split('$');
    let (Some(iterations), Some(salt), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    // A row with more than ten million iterations is damaged, and would occupy a thread for a minute.
    let iterations = iterations.parse::<NonZeroU32>().ok().filter(|n| n.get() <= 10_000_000);
    let (Some(iterations), Ok(hash)) = (iterations, STANDARD.decode(hash)) else { return false };
    // Only the stored bytes would be compared: with one byte, every 256th password would be right.
    if hash.len() != digest::SHA256_OUTPUT_LEN {
        return false;
    }
    pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt.as_bytes(), password.as_bytes(), &hash).is_ok()
}

fn sha256_hex(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::{
        DUMMY_HASH, Engine, NonZeroU32, PasswordVerdict, STANDARD, compare, hash, pbkdf2, rounds, spend_rest, verify,
    };

    /// Made with Python's hashlib and libxcrypt by Django's algorithms.
    const OF_DJANGO: [(&str, &str); 4] = [
        ("violet harbor lantern 42", "pbkdf2_sha256$600000$Zt3Xk9QmR2vB$+ygGbWFD6VoLp0GLprO3s1oANn99U/4bcOOVMUkuZdU="),
        ("пароль с пробелом 🦀 ", "pbkdf2_sha256$260000$seasalt$74Zeo/LXVoJSiNgOZZG4mgoE4NZmKJG0G+X8KXrfQ6Q="),
        ("password", "pbkdf2_sha256$24000$seasalt$GwkSVbk/ZS7UxlrtRxpU1fgAMjWPldtSxVDgVodtavc="),
        ("violet harbor lantern 42", "bcrypt_sha256$$2b$04$wJalrXUtnFEMIK7MDENGbO4V7au/LOKVEagqTMEa9WQA5y/uYUOg6"),
    ];

    /// Hashes that are cut short or 64 bytes long: all of their bytes are right.
    #[test]
    fn a_hash_of_another_length_matches_no_password() {
        let mut whole = [0; 64];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, NonZeroU32::MIN, b"salt", b"violet harbor", &mut whole);
        for (bytes, verdict) in [
            (0, PasswordVerdict::Wrong),
            (1, PasswordVerdict::Wrong),
            (16, PasswordVerdict::Wrong),
            (31, PasswordVerdict::Wrong),
            (32, PasswordVerdict::RightButOutdated),
            (33, PasswordVerdict::Wrong),
            (64, PasswordVerdict::Wrong),
        ] {
            let stored = format!("pbkdf2_sha256$1$salt${}", STANDARD.encode(&whole[..bytes]));
            assert_eq!(compare("violet harbor", &stored, 4).0, verdict, "{bytes} bytes");
        }
    }

    #[test]
    fn hashes_stored_by_django_verify() {
        for (password, stored) in OF_DJANGO {
            assert_eq!(verify(password, stored, 12), PasswordVerdict::RightButOutdated, "{stored}");
            assert_eq!(verify(&format!("{password}x"), stored, 12), PasswordVerdict::Wrong, "{stored}");
        }
        assert_eq!(verify(OF_DJANGO[3].0, OF_DJANGO[3].1, 4), PasswordVerdict::Right);
    }

    #[test]
    fn spent_work_and_the_rest_add_up_to_the_work_of_the_cost() {
        for spent in 4..=8 {
            assert_eq!(rounds(spent) + spend_rest("violet harbor", Some(spent), 8), rounds(8), "{spent}");
        }
        assert_eq!(spend_rest("violet harbor", None, 6), rounds(6));
        assert_eq!(spend_rest("violet harbor", Some(9), 8), 0);
    }

    #[test]
    fn every_byte_of_a_password_counts() {
        let long = "0123456789".repeat(20);
        let stored = hash(&long, 4).unwrap_or_default();
        assert_eq!(verify(&long, &stored, 4), PasswordVerdict::Right);
        for at in [0, 71, 72, 73, 199] {
            let mut other = long.clone();
            other.replace_range(at..=at, "x");
            assert_eq!(verify(&other, &stored, 4), PasswordVerdict::Wrong, "byte {at}");
        }
        let with_nul = hash("before\0after", 4).unwrap_or_default();
        assert_eq!(verify("before\0other", &with_nul, 4), PasswordVerdict::Wrong);
    }

    #[test]
    fn no_password_matches_the_dummy_hash() {
        for guess in ["", "password", DUMMY_HASH] {
            assert_eq!(verify(guess, DUMMY_HASH, 4), PasswordVerdict::Wrong);
        }
    }

    #[test]
    fn a_damaged_row_causes_no_unbounded_work() {
        let stored = |cost| format!("bcrypt_sha256$$2b${cost}$wJalrXUtnFEMIK7MDENGbO4V7au/LOKVEagqTMEa9WQA5y/uYUOg6");
        for row in [stored(17), stored(31), "pbkdf2_sha256$10000001$salt$AAAA".to_owned()] {
            assert_eq!(compare("violet harbor lantern 42", &row, 12), (PasswordVerdict::Wrong, None), "{row}");
        }
    }
}
