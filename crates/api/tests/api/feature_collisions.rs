//! Features that may not be combined: their names, paths, tables, migrations or types collide.

use crate::features::boards::{boards as board_table, pins as pin_table, sessions};
use api::app::{App, Feature};
use api::prelude::{Endpoint, FeatureMail, SchemaChange, Script, Table, by_client};
use utoipa::ToSchema;

const fn change(name: &'static str, up: &'static str) -> SchemaChange {
    let script = Script { up, down: "SELECT 1" };
    SchemaChange { name, postgres: script, sqlite: script }
}

async fn nothing() -> &'static str {
    ""
}

fn endpoint(path: &'static str, operation: &'static str) -> Endpoint {
    Endpoint::get(path, by_client(), nothing).about(operation, "Nothing")
}

/// Why these features cannot be combined with each other and Latchkey.
fn refused(features: impl IntoIterator<Item = Feature>) -> String {
    let app = features.into_iter().fold(App::new(), App::feature);
    app.assemble().expect_err("they collide").to_string()
}

#[test]
fn two_features_of_one_name_are_refused() {
    let twice = "the feature board has the name board twice";
    assert_eq!(refused([Feature::new("board"), Feature::new("board")]), twice);
    assert_eq!(refused([Feature::new("latchkey")]), "the feature latchkey has the name latchkey twice");
}

#[test]
fn an_invalid_name_of_a_feature_is_refused() {
    for name in ["", "Notes", "1st", "_x", "a-b", "a:b", "näh", &"a".repeat(31)] {
        let name: &'static str = name.to_owned().leak();
        let refusal = refused([Feature::new(name)]);
        assert!(
            refusal.starts_with(&format!("the feature \"{name}\" needs another name: lower-case letters")),
            "{refusal}"
        );
    }
}

static SHARED: FeatureMail<i64> = mail("board.shared");

const fn mail(name: &'static str) -> FeatureMail<i64> {
    FeatureMail::new(name, chrono::Duration::days(1), |_, _, _| Ok(None))
}

#[test]
fn an_invalid_name_of_a_mail_is_refused() {
    for name in ["", "shared", "board", "board.", "other.shared", "board.Shared", "board.a.b", "reset_password"] {
        let refusal = refused([Feature::new("board").mail(Box::leak(Box::new(mail(name))))]);
        assert!(refusal.starts_with(&format!("the mail {name} of the feature board needs another name")), "{refusal}");
    }
    let twice = "the feature board has the mail board.shared twice";
    assert_eq!(refused([Feature::new("board").mail(&SHARED).mail(&SHARED)]), twice);
    assert!(App::new().feature(Feature::new("board").mail(&SHARED)).assemble().is_ok());
}

#[test]
fn a_path_of_another_feature_is_refused_and_both_are_named() {
    let one = || Feature::new("one").endpoints(|| vec![endpoint("/api/things/{id}/", "getThing")]);
    let other = |path: &'static str| Feature::new("other").endpoints(move || vec![endpoint(path, "getOther")]);
    let refusal = refused([one(), other("/api/things/{id}/")]);
    assert_eq!(
        refusal,
        "the features one and other both have the route GET /api/things/{id}/; rename it in one of them"
    );
    for path in ["/api/things/{key}/", "/api/things/all/", "/api/things/{id}"] {
        let refusal = refused([one(), other(path)]);
        let named = format!("the features one and other both have the path {path}, or /api/things/{{id}}/");
        assert!(refusal.starts_with(&named), "{refusal}");
    }
    let refusal = refused([Feature::new("other").endpoints(|| vec![endpoint("/api/auth/me/", "getOther")])]);
    assert_eq!(
        refusal,
        "the features latchkey and other both have the route GET /api/auth/me/; rename it in one of them"
    );
    let apart = ["/api/things/", "/api/things/{id}/parts/", "/api/other/{id}/"];
    for path in apart {
        assert!(App::new().feature(one()).feature(other(path)).assemble().is_ok(), "{path}");
    }
}

#[test]
fn a_table_a_list_and_an_operation_of_another_feature_are_refused() {
    let table = Table::impersonal("boards", board_table::table);
    let one = || Feature::new("one").tables([table.clone()]);
    let refusal = refused([one(), Feature::new("other").tables([table.clone()])]);
    assert_eq!(refusal, "the features one and other both have the table boards; rename it in one of them");
    let refusal = refused([Feature::new("one").tables([table.clone(), table.clone()])]);
    assert_eq!(refusal, "the feature one has the table boards twice");
    let own = Table::personal("sessions", sessions::table, sessions::user_id);
    assert!(
        refused([Feature::new("one").tables([own])])
            .starts_with("the features latchkey and one both have the table sessions")
    );
    let list = Table::personal("events", board_table::table, board_table::user_id);
    let refusal = refused([Feature::new("one").tables([list])]);
    assert!(refusal.starts_with("the features latchkey and one both have the list events of an export"), "{refusal}");
    let refusal = refused([Feature::new("one").endpoints(|| vec![endpoint("/api/one/", "getMe")])]);
    assert!(refusal.starts_with("the features latchkey and one both have the operation getMe"), "{refusal}");
}

#[test]
fn a_migration_without_a_number_of_its_own_is_refused() {
    const TWICE: &[SchemaChange] = &[change("0001_one", ""), change("0001_other", "")];
    const UNORDERED: &[SchemaChange] = &[change("0002_one", ""), change("0001_other", "")];
    const UNNUMBERED: &[SchemaChange] = &[change("create", "")];
    const SHORT: &[SchemaChange] = &[change("1_create", "")];
    const FIRST: &[SchemaChange] = &[change("0001_create", "")];
    let refusal = |changes| refused([Feature::new("one").migrations(changes)]);
    assert_eq!(refusal(TWICE), "the migrations of the feature one are not in the order of their numbers at 0001_other");
    assert_eq!(
        refusal(UNORDERED),
        "the migrations of the feature one are not in the order of their numbers at 0001_other"
    );
    for (changes, name) in [(UNNUMBERED, "create"), (SHORT, "1_create")] {
        assert!(refusal(changes).starts_with(&format!("the migration {name} of the feature one needs another name")));
    }
    // The same number in two namespaces is no collision.
    let app =
        App::new().feature(Feature::new("one").migrations(FIRST)).feature(Feature::new("other").migrations(FIRST));
    assert!(app.assemble().is_ok());
}

#[test]
fn a_table_of_a_migration_that_is_not_declared_is_refused() {
    const CHANGES: &[SchemaChange] = &[
        change(
            "0001_create",
            "CREATE TABLE boards (id int); -- CREATE TABLE note (id int);\nCREATE TABLE IF NOT EXISTS old(id int);",
        ),
        change(
            "0002_change",
            "create table new_boards (id int); DROP TABLE boards; ALTER TABLE new_boards RENAME TO boards; drop table old;",
        ),
        change("0003_create", "CREATE INDEX boards_id ON boards (id);\nCREATE TABLE \"pins\" (id int)"),
    ];
    let boards = || Table::impersonal("boards", board_table::table);
    let feature = || Feature::new("board").migrations(CHANGES);
    let refusal = refused([feature().tables([boards()])]);
    assert!(
        refusal.starts_with("the migrations of the feature board create the table pins, which is not in its"),
        "{refusal}"
    );
    let pins = Table::impersonal("pins", pin_table::table);
    assert!(App::new().feature(feature().tables([boards(), pins])).assemble().is_ok());
}

mod one {
    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "it is described only")]
    pub(super) struct Thing {
        name: String,
    }
}

mod other {
    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "it is described only")]
    pub(super) struct Thing {
        size: i64,
    }
}

#[test]
fn two_types_of_one_name_are_refused() {
    fn feature<T: ToSchema>(name: &'static str, path: &'static str) -> Feature {
        Feature::new(name).endpoints(move || vec![endpoint(path, path).gives::<T>(200)])
    }
    let refusal = refused([feature::<one::Thing>("one", "/api/one/"), feature::<other::Thing>("other", "/api/other/")]);
    assert!(
        refusal.starts_with("the features one and other both have the type Thing in the OpenAPI document"),
        "{refusal}"
    );
    let same = App::new()
        .feature(feature::<one::Thing>("one", "/api/one/"))
        .feature(feature::<one::Thing>("other", "/api/other/"));
    assert!(same.assemble().is_ok());
}
