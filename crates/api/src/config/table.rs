//! The table of all variables, in the order of `docs/reference/configuration.md`. A new file of declarations needs a line here.

use super::row::VariableRow;
use super::variable::AnyVariable;
use super::{
    accounts, app_env, backup, client_build, database, key_ring, keys, lifetimes, limits, log_filter, mail, operation,
    origins, passwords, platform, product, proxies, secret_key, server, storage, transport,
};

/// A section of the document.
pub(super) struct Section {
    pub(super) title: &'static str,
    parts: &'static [&'static [&'static dyn AnyVariable]],
}

impl Section {
    pub(super) fn variables(&self) -> impl Iterator<Item = &'static dyn AnyVariable> + use<> {
        self.parts.iter().copied().flatten().copied()
    }
}

const fn section(title: &'static str, parts: &'static [&'static [&'static dyn AnyVariable]]) -> Section {
    Section { title, parts }
}

const SECTIONS: &[Section] = &[
    section("Environment", &[app_env::DECLARED]),
    section("Keys and tokens", &[secret_key::DECLARED, key_ring::DECLARED, keys::DECLARED, lifetimes::DECLARED]),
    section("Database", &[database::DECLARED]),
    section("Server and proxies", &[server::DECLARED, proxies::DECLARED]),
    section("Browsers", &[origins::DECLARED, transport::DECLARED]),
    section("Accounts and passwords", &[accounts::DECLARED, passwords::DECLARED]),
    section("Mail", &[mail::DECLARED]),
    section("Files and backups", &[storage::DECLARED, backup::DECLARED]),
    section("Limits", &[limits::DECLARED]),
    section("Operation", &[operation::DECLARED, log_filter::DECLARED, platform::DECLARED]),
    section("The product", &[product::DECLARED]),
    section("Build of the client", &[client_build::DECLARED]),
];

/// The sections that have variables.
pub(super) fn sections() -> impl Iterator<Item = &'static Section> {
    SECTIONS.iter().filter(|section| section.variables().next().is_some())
}

/// The rows of all variables.
pub fn variables() -> impl Iterator<Item = &'static VariableRow> {
    SECTIONS.iter().flat_map(Section::variables).map(AnyVariable::row)
}

/// Whether this is the name of a variable.
pub(super) fn is_known(name: &str) -> bool {
    variables().flat_map(VariableRow::names).any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::{VariableRow, variables};

    #[test]
    fn no_name_is_listed_twice() {
        let mut names: Vec<_> = variables().flat_map(VariableRow::names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
