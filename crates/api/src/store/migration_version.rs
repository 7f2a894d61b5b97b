//! The version by which the database records an applied migration.

/// A migration's version: its name up to the first underscore after the namespace.
pub(super) fn version(name: &str) -> &str {
    let number = name.find(':').map_or(0, |colon| colon + 1);
    name[number..].find('_').map_or(name, |end| &name[..number + end])
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_is_the_part_of_the_name_before_the_title() {
        assert_eq!(version("00000000000013"), "00000000000013");
        assert_eq!(version("00000000000013_names"), "00000000000013");
        assert_eq!(version("notes:0001_create_notes"), "notes:0001");
        assert_eq!(version("shared_notes:0001_create_notes"), "shared_notes:0001");
    }
}
