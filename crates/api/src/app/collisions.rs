//! Checks that no two features collide. Done when the program starts, whatever the command: at the next request it would be too
//! late.

use super::feature::Feature;
use crate::http::Endpoint;
use crate::service::mail::SEPARATOR;
use crate::store::migrations::tables_of;
use auth_types::responses::TokenTransport;
use std::collections::BTreeMap;

/// Why features do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Collision {
    #[error(
        "the feature \"{0}\" needs another name: lower-case letters, digits and underscores, a letter first, at most {most}",
        most = NAME_MAX_LENGTH
    )]
    Name(&'static str),
    #[error(
        "the migration {1} of the feature {0} needs another name: four digits, an underscore and what it changes, as 0001_create_notes"
    )]
    Migration(&'static str, &'static str),
    #[error(
        "the mail {1} of the feature {0} needs another name: the feature's, a dot, and lower-case letters, digits and underscores, as {0}.shared"
    )]
    Mail(&'static str, &'static str),
    #[error("the migrations of the feature {0} are not in the order of their numbers at {1}")]
    Order(&'static str, &'static str),
    #[error(
        "the migrations of the feature {0} create the table {1}, which is not in its .tables(…): no export, deletion or backup would include it"
    )]
    Undeclared(&'static str, String),
    #[error("the features {first} and {second} both have the {what}; rename it in one of them")]
    Shared { what: String, first: &'static str, second: &'static str },
    #[error("the feature {0} has the {1} twice")]
    Twice(&'static str, String),
}

/// Longest name of a feature, characters: it is a part of each migration's version, which the database keeps in 50.
const NAME_MAX_LENGTH: usize = 30;
const DIGITS: usize = 4;

/// A feature and its endpoints, which are created once for all checks.
type FeatureEndpoints<'a> = (&'a Feature, Vec<Endpoint>);

/// Returns the first [`Collision`] as an error.
pub(super) fn find(features: &[Feature]) -> Result<(), Collision> {
    features.iter().try_for_each(check_names)?;
    features.iter().try_for_each(check_tables)?;
    let features: Vec<_> = features.iter().map(|feature| (feature, all_endpoints(feature))).collect();
    let features = features.as_slice();
    distinct(features, |(feature, _)| vec![format!("name {}", feature.name)])?;
    distinct(features, |(feature, _)| {
        feature.tables.iter().map(|table| format!("table {}", table.layout.name)).collect()
    })?;
    distinct(features, |(feature, _)| {
        let lists = feature.tables.iter().filter_map(|table| table.export.as_ref());
        lists.map(|export| format!("list {} of an export", export.list)).collect()
    })?;
    distinct(features, |(feature, _)| feature.jobs.iter().map(|job| format!("job {}", job.name)).collect())?;
    distinct(features, |(feature, _)| feature.mails.iter().map(|mail| format!("mail {}", mail.name)).collect())?;
    distinct(features, |(_, all)| all.iter().map(|one| format!("operation {}", one.operation_id())).collect())?;
    distinct(features, |(_, all)| all.iter().map(|one| format!("route {}", one.route())).collect())?;
    distinct_paths(features)?;
    distinct_schemas(features)
}

fn check_names(feature: &Feature) -> Result<(), Collision> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let name = feature.name;
    let begins_right = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
    if !begins_right || name.len() > NAME_MAX_LENGTH || !name.bytes().all(is_plain) {
        return Err(Collision::Name(name));
    }
    for change in feature.changes {
        let (number, title) = change.name.split_once('_').unwrap_or_default();
        let is_number = number.len() == DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || title.is_empty() {
            return Err(Collision::Migration(name, change.name));
        }
    }
    for mail in &feature.mails {
        let (namespace, title) = mail.name.split_once(SEPARATOR).unwrap_or_default();
        if namespace != name || title.is_empty() || !title.bytes().all(is_plain) {
            return Err(Collision::Mail(name, mail.name));
        }
    }
    let numbers = feature.changes.iter().map(|change| &change.name[..DIGITS]);
    let unordered = numbers.clone().zip(numbers.skip(1)).position(|(before, after)| before >= after);
    unordered.map_or(Ok(()), |index| Err(Collision::Order(name, feature.changes[index + 1].name)))
}

fn check_tables(feature: &Feature) -> Result<(), Collision> {
    let is_declared = |name: &String| feature.tables.iter().any(|table| table.layout.name == name);
    let undeclared = tables_of(feature.changes).into_iter().find(|name| !is_declared(name));
    undeclared.map_or(Ok(()), |name| Err(Collision::Undeclared(feature.name, name)))
}

fn all_endpoints(feature: &Feature) -> Vec<Endpoint> {
    feature.endpoints.iter().flat_map(|endpoints| endpoints.make(TokenTransport::Body)).collect()
}

/// Checks that no name is used by two features, or twice by one.
fn distinct(
    features: &[FeatureEndpoints<'_>],
    of: impl Fn(&FeatureEndpoints<'_>) -> Vec<String>,
) -> Result<(), Collision> {
    let mut owners = BTreeMap::new();
    for entry in features {
        let feature = entry.0;
        for what in of(entry) {
            match owners.insert(what.clone(), feature.name) {
                None => {}
                Some(first) if first == feature.name => return Err(Collision::Twice(first, what)),
                Some(first) => return Err(Collision::Shared { what, first, second: feature.name }),
            }
        }
    }
    Ok(())
}

/// Checks that no paths of two features overlap, whatever their parameters are called: it would be arbitrary which of them
/// serves a request.
fn distinct_paths(features: &[FeatureEndpoints<'_>]) -> Result<(), Collision> {
    let mut taken: Vec<(&'static str, &'static str)> = Vec::new();
    for (feature, endpoints) in features {
        let paths: Vec<_> = endpoints.iter().map(Endpoint::path).collect();
        for path in &paths {
            if let Some((first, other)) = taken.iter().find(|(_, other)| overlap(path, other)) {
                let what = if path == other { format!("path {path}") } else { format!("path {path}, or {other}") };
                return Err(Collision::Shared { what, first, second: feature.name });
            }
        }
        taken.extend(paths.into_iter().map(|path| (feature.name, path)));
    }
    Ok(())
}

/// Whether one request may match both paths.
fn overlap(one: &str, other: &str) -> bool {
    let segments = |path: &str| path.trim_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>();
    let one = segments(one);
    let other = segments(other);
    let is_parameter = |segment: &str| segment.starts_with('{');
    one.len() == other.len()
        && one.iter().zip(&other).all(|(one, other)| one == other || is_parameter(one) || is_parameter(other))
}

/// Checks that no two features have different schemas under one name.
fn distinct_schemas(features: &[FeatureEndpoints<'_>]) -> Result<(), Collision> {
    let mut known: BTreeMap<String, (&'static str, String)> = BTreeMap::new();
    for (feature, endpoints) in features {
        for (name, schema) in endpoints.iter().flat_map(Endpoint::schemas) {
            match known.get(&name) {
                Some((first, other)) if *other != schema => {
                    let what = format!("type {name} in the OpenAPI document");
                    return Err(Collision::Shared { what, first, second: feature.name });
                }
                _ => _ = known.insert(name, (feature.name, schema)),
            }
        }
    }
    Ok(())
}
