//! `JWT_ALGORITHM` and `JWT_PRIVATE_KEY`: which keys are accepted, and how the others are reported.

use crate::support::document::Document;
use crate::support::{Database, KeyPair, TestApp, TestDb, shell};
use api::config::{Settings, Variables};
use std::process::{Command, Stdio};

const SECRET: &str = "a secret for other uses than tokens";

fn read(algorithm: &str, keys: &str) -> Result<Settings, Vec<String>> {
    let variables = Variables::default().with("SECRET_KEY", SECRET).with("JWT_ALGORITHM", algorithm);
    Settings::from_variables(variables.with("JWT_PRIVATE_KEY", keys)).map_err(|error| error.problems)
}

/// The only problem that is reported. It never repeats a line of the key.
#[track_caller]
fn problem(algorithm: &str, keys: &str) -> String {
    let problems = read(algorithm, keys).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("JWT_PRIVATE_KEY: "), "{problems:?}");
    for line in keys.lines().filter(|line| line.len() > 12 && !line.starts_with("-----")) {
        assert!(!problems[0].contains(line), "a key is shown in {problems:?}");
    }
    problems[0].clone()
}

/// The standard output of a shell command.
pub fn run(command: &str) -> String {
    let output = Command::new("sh").args(["-c", command]).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

const RSA: &str = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";
const P384: &str = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384";
const P256: &str = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
const ED25519: &str = "openssl genpkey -algorithm ed25519";

#[test]
fn a_missing_key_is_reported_with_the_command_that_makes_one() {
    assert!(
        problem("EdDSA", "").contains("is missing; EdDSA signs with one, made by `openssl genpkey -algorithm ed25519`")
    );
    assert!(problem("ES256", " ").contains("ec_paramgen_curve:P-256"));
}

#[test]
fn a_key_that_does_not_fit_the_algorithm_is_refused_with_a_remedy() {
    let (ed, p256) = (KeyPair::ed_dsa(), KeyPair::es256());
    for (algorithm, keys, expected) in [
        (
            "EdDSA",
            p256.private_pem(),
            "key 1 signs ES256, not EdDSA; set JWT_ALGORITHM=ES256 or make one with `openssl",
        ),
        ("ES256", ed.private_pem(), "key 1 signs EdDSA, not ES256; set JWT_ALGORITHM=EdDSA or make one with `openssl"),
        ("EdDSA", ed.public_pem(), "key 1 is public; the first key signs"),
        ("HS256", ed.private_pem(), "key 1 is private, and HS256 signs with SECRET_KEY; set JWT_ALGORITHM="),
        ("HS256", p256.public_pem() + &ed.private_pem(), "key 2 is private, and HS256 signs with SECRET_KEY"),
        ("EdDSA", run(RSA), "key 1 is an RSA key; use Ed25519 or P-256"),
        ("ES256", run(P384), "key 1 is on the curve P-384"),
        (
            "ES256",
            run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1"),
            "neither Ed25519 nor P-256",
        ),
        ("EdDSA", run("openssl genpkey -algorithm ed448"), "neither Ed25519 nor P-256"),
        ("EdDSA", ed.private_pem() + &ed.public_pem(), "key 2 is listed twice; remove one"),
        ("EdDSA", ed.private_pem() + &run(&format!("{RSA} | openssl pkey -pubout")), "key 2 is an RSA key"),
    ] {
        let problem = problem(algorithm, &keys);
        assert!(problem.contains(expected), "{algorithm}: {problem:?}, not {expected:?}");
    }
}

#[test]
fn a_key_in_another_format_is_refused_with_a_remedy() {
    let good = KeyPair::ed_dsa().private_pem();
    for (keys, expected) in [
        (
            run(&format!("{ED25519} -aes-256-cbc -pass pass:hunter2")),
            "key 1 is encrypted; decrypt it with `openssl pkey",
        ),
        (run(&format!("{P256} | openssl ec -aes128 -passout pass:hunter2")), "key 1 is encrypted"),
        (run(&format!("{P256} | openssl ec")), "key 1 is not a PKCS#8 private key or a public key; convert it with"),
        (run("openssl ecparam -genkey -noout -name prime256v1"), "key 1 is not a PKCS#8 private key"),
        (good.replace("MC4", "MC5"), "key 1 is damaged"),
        (good.replace("MC4", "M=4"), "key 1 is damaged"),
        (good.replace("MC4", ""), "key 1 is damaged"),
        (good.replace("-----END", "-----ENDE"), "is not PEM"),
        (good.replace("END PRIVATE KEY", "END PUBLIC KEY"), "is not PEM"),
        (good.replace("-----END PRIVATE KEY-----", ""), "is not PEM"),
        (good.clone() + "and words", "is not PEM"),
        (good.clone() + "-----BEGIN PUBLIC KEY-----", "is not PEM"),
        ("a secret".to_owned(), "is not PEM"),
        ("{\"kty\":\"OKP\"}".to_owned(), "is not PEM"),
        ("-----BEGIN -----".to_owned(), "is not PEM"),
    ] {
        let problem = problem("EdDSA", &keys);
        assert!(problem.contains(expected), "{problem:?}, not {expected:?}");
    }
}

#[test]
fn every_bad_key_of_a_ring_is_reported() {
    let keys = [KeyPair::es256().private_pem(), run(P384), KeyPair::es256().public_pem(), run(RSA)].concat();
    let problems = read("EdDSA", &keys).unwrap_err();
    let starts: Vec<_> = problems.iter().map(|problem| &problem[..22]).collect();
    assert_eq!(starts, ["JWT_PRIVATE_KEY: key 1", "JWT_PRIVATE_KEY: key 2", "JWT_PRIVATE_KEY: key 4"]);
}

#[test]
fn line_ends_of_dashboards_and_windows_are_accepted() {
    for pair in KeyPair::both() {
        let ring = pair.private_pem() + &pair.another().public_pem();
        for keys in
            [ring.replace('\n', "\\n"), ring.replace('\n', "\r\n"), ring.replace('\n', " "), format!("\n{ring}\n")]
        {
            let settings = read(pair.algorithm(), &keys).unwrap_or_else(|problems| panic!("{keys:?}: {problems:?}"));
            assert_eq!(settings.keys.ring.public.len(), 2);
            assert_eq!(settings.keys.ring.public[0].point, pair.point());
        }
    }
}

#[test]
fn a_private_key_is_never_printed() {
    for pair in KeyPair::both() {
        let printed = format!("{:?}", read(pair.algorithm(), &pair.private_pem()).unwrap());
        let seed = pair.seed();
        assert!(!printed.contains(&format!("{seed:?}").replace(['[', ']'], "")), "{printed}");
        assert!(printed.contains("REDACTED"));
    }
}

#[actix_web::test]
async fn the_commands_of_the_document_make_keys_that_sign_and_verify() {
    let folder = tempfile::tempdir().unwrap();
    for section in Document::read("docs/guides/keys.md").sections() {
        shell::run(&section.commands(), folder.path(), &[]).await.unwrap();
    }
    let file = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let db = std::sync::Arc::new(TestDb::migrated(Database::Sqlite));
    for (algorithm, name) in [("EdDSA", "ed25519"), ("ES256", "p256")] {
        let (private, public) = (file(&format!("{name}.pem")), file(&format!("{name}.pub.pem")));
        let signer = TestApp::builder_on(db.clone()).set("JWT_ALGORITHM", algorithm).set("JWT_PRIVATE_KEY", private);
        let signer = signer.user(&format!("{name}@example.com")).start().await;
        let tokens = signer.login(&format!("{name}@example.com")).await;
        signer.me(&tokens).await.done();
        // The public half verifies next to a secret key.
        let verifier =
            TestApp::builder_on(db.clone()).clock(signer.clock()).set("JWT_PRIVATE_KEY", public).start().await;
        verifier.me(&tokens).await.done();
    }
}
