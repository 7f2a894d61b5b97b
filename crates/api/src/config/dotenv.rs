//! Reads `.env`: a line is `NAME=VALUE`, optionally with `export` before it.
//!
//! A value is taken as it is written; no `$` in it is replaced. Other readers that replace one silently change a secret, so a
//! line that may rely on it is refused. Quotes around a value are removed: in single quotes every character is literal, in
//! double quotes `\n`, `\"`, `\\` and `\$` are escapes, and in both a value may have several lines. Without quotes a `#` after
//! a space begins a comment. A space is any of Unicode's, such as the no-break space that copied text has.

use super::table;
use auth_types::invisible::trimmed_words;
use std::collections::BTreeMap;

/// A variable, or what is wrong with a line. The message never repeats the line, which may hold a secret.
pub(super) type DotenvLine = Result<(String, String), String>;

/// The entries of a file, in order.
pub(super) fn read(text: &str) -> Vec<DotenvLine> {
    // Some editors begin a file with a byte-order mark.
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut entries = Vec::new();
    let mut seen = BTreeMap::new();
    let mut line = 1;
    while !rest.is_empty() {
        let (entry, length) = next(rest);
        let entry = entry.map(|entry| {
            entry
                .and_then(|(name, value)| once(&mut seen, line, name, value))
                .map_err(|problem| format!("line {line}: {problem}"))
        });
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
        entries.extend(entry);
    }
    entries
}

/// Refuses a variable that another line has set to another value: shells and Docker take the last one, other programs the
/// first. Blank values set nothing, and other programs' variables are not checked.
fn once(
    seen: &mut BTreeMap<String, (usize, String)>,
    line: usize,
    name: String,
    value: String,
) -> Result<(String, String), String> {
    if value.trim().is_empty() || !table::is_known(&name) {
        return Ok((name, value));
    }
    match seen.get(&name) {
        Some((first, other)) if *other != value => {
            Err(format!("{name} is set to something else in line {first}; remove one of the two"))
        }
        _ => {
            seen.insert(name.clone(), (line, value.clone()));
            Ok((name, value))
        }
    }
}

/// The first entry, unless the line is blank or a comment, and its length in bytes.
fn next(text: &str) -> (Option<DotenvLine>, usize) {
    let line = text.lines().next().unwrap_or_default();
    let whole_line = text.find('\n').map_or(text.len(), |end| end + 1);
    // The text after it would be a part of this line, or of its comment.
    if line.strip_suffix('\r').unwrap_or(line).contains('\r') {
        return (Some(Err(LONE_RETURN.to_owned())), whole_line);
    }
    let entry = line.trim();
    if entry.is_empty() || entry.starts_with('#') {
        return (None, whole_line);
    }
    let Some((name, _)) = line.split_once('=') else {
        return (Some(Err("is not NAME=VALUE; fix or remove it".to_owned())), whole_line);
    };
    let value_at = name.len() + 1;
    let name = name.trim().strip_prefix("export ").unwrap_or(name).trim();
    if !is_name(name) {
        return (Some(Err("is not NAME=VALUE; fix or remove it".to_owned())), whole_line);
    }
    let value = &text[value_at..];
    let blanks = value.len() - value.trim_start_matches(|c: char| c.is_whitespace() && !is_line_end(c)).len();
    let (value, length) = match value[blanks..].chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let (value, length) = quoted(&value[blanks + 1..], quote);
            let value = value.and_then(|value| without_blank_ends(name, value));
            (value, length.map_or(whole_line, |length| value_at + blanks + 1 + length))
        }
        _ => (unquoted(&line[value_at..]), whole_line),
    };
    (Some(value.map(|value| (name.to_owned(), value)).map_err(|problem| format!("{name} {problem}"))), length)
}

const LONE_RETURN: &str = "has a carriage return inside; save the file with line feeds at the end of lines";

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter))
}

const fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Quotes keep blanks, and the configuration leaves them out: a secret would silently be another one. Line ends are those of a
/// value with several lines, such as a key in PEM.
fn without_blank_ends(name: &str, value: String) -> Result<String, String> {
    if table::is_known(name) && !value.trim().is_empty() && value.trim_matches(is_line_end) != value.trim() {
        return Err("has a blank at an end inside its quotes, which would be left out; remove it".to_owned());
    }
    Ok(value)
}

fn unquoted(value: &str) -> Result<String, String> {
    let comment = value.match_indices('#').find(|(at, _)| value[..*at].ends_with(char::is_whitespace));
    let value = comment.map_or(value, |(at, _)| &value[..at]).trim();
    if is_reference(value) {
        return Err(replaced());
    }
    if trimmed_words(value) != value {
        return Err("has an invisible character at an end; delete the line and type it again".to_owned());
    }
    if let Some(name) = second_setting(value) {
        return Err(format!("has {name} in its line; give that a line of its own, or put the value into quotes"));
    }
    Ok(value.to_owned())
}

/// The value up to its closing quote, and its length in bytes with the rest of its line.
fn quoted(text: &str, quote: char) -> (Result<String, String>, Option<usize>) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    let mut refused = None;
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => {
                let rest = &text[at + 1..];
                let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
                let trailing = rest[..end].trim();
                if !(trailing.is_empty() || trailing.starts_with('#')) {
                    refused = Some("has something after its closing quote; put the whole value into quotes".to_owned());
                }
                return (refused.map_or(Ok(value), Err), Some(at + 1 + end));
            }
            '\\' if quote == '"' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('"' | '\\' | '$'))) => value.push(escaped),
                _ => {
                    let fix = "has a backslash that escapes nothing; write two, or put the value into single quotes";
                    refused = Some(fix.to_owned());
                }
            },
            '$' if quote == '"' && text[at..].starts_with("${") => refused = Some(replaced()),
            '\r' if !text[at..].starts_with("\r\n") => refused = Some(LONE_RETURN.to_owned()),
            _ => value.push(letter),
        }
    }
    (Err("has no closing quote; add it".to_owned()), None)
}

/// A variable that is set inside another one's value: a secret in it would be shown where that value is.
fn second_setting(value: &str) -> Option<&str> {
    let mut names = value.split_whitespace().filter_map(|word| word.split_once('=')).map(|(name, _)| name);
    names.find(|name| table::is_known(name))
}

/// Whether the value may rely on the replacement of `${NAME}`. Django's keys may contain a `$` in any other form.
fn is_reference(value: &str) -> bool {
    value.contains("${")
}

fn replaced() -> String {
    "has ${…}, which is not replaced; write the value itself, or put it into single quotes to have it taken as it is"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::read;

    fn value(line: &str) -> String {
        let entries = read(line);
        assert_eq!(entries.len(), 1, "{line}");
        let (name, value) = entries.into_iter().next().and_then(Result::ok).unwrap_or_default();
        assert_eq!(name, "KEY", "{line}");
        value
    }

    #[test]
    fn a_value_is_taken_as_it_is_written() {
        for written in [
            "django-insecure-a$b7#k(9z)!q2w4e6r8t0y1u3i5o7p",
            "$HOME",
            "a$",
            "$$",
            "a$(b",
            "a'b'c\"d",
            "a\\nb",
            "a=b==",
            "a b",
            "Latchkey <no-reply@example.com>",
            "grüße",
        ] {
            assert_eq!(value(&format!("KEY={written}")), written);
            assert_eq!(value(&format!("export KEY = {written} # said so\r\n")), written);
            if !written.contains('\'') {
                assert_eq!(value(&format!("KEY='{written}' # said so")), written);
            }
        }
        assert_eq!(value("KEY='${HOME}$(id)\\n'"), "${HOME}$(id)\\n");
        assert_eq!(value("KEY=\"a\\$b\\\\c\\\"d\\ne\nf$g\""), "a$b\\c\"d\ne\nf$g");
        assert_eq!(value("KEY='a\r\nb'\r\n"), "a\r\nb");
        assert_eq!(value("KEY='a SECRET_KEY=b'"), "a SECRET_KEY=b");
        assert_eq!(value("KEY="), "");
        assert_eq!(value("KEY=#a"), "#a");
        assert_eq!(value("KEY= #a"), "", "a comment");
        assert_eq!(value("KEY=\u{a0}#a"), "", "a comment");
        assert_eq!(value("KEY=a\u{a0}#b"), "a");
        for blank in ["\u{a0}", " \u{3000}\t", "\u{2003}"] {
            assert_eq!(value(&format!("KEY={blank}\"a b\"{blank}# said so")), "a b");
            assert_eq!(value(&format!("KEY={blank}a b{blank}")), "a b");
        }
        assert_eq!(value("KEY=\n"), "", "the next line is not a part of it");
        assert_eq!(value("KEY=Ada ❤\u{fe0f}"), "Ada ❤\u{fe0f}");
        assert_eq!(value("\u{feff}KEY=first"), "first");
    }

    #[test]
    fn what_could_mean_something_else_is_refused_with_its_line() {
        for (text, line, part) in [
            ("A=1\nKEY=${HOME}/data", "line 2: KEY ", "single quotes"),
            ("\u{feff}# said so\n\nKEY=\"${ID}\"\n", "line 3: KEY ", "single quotes"),
            ("A='1\n2\n3'\nsecret", "line 4: ", "NAME=VALUE"),
            ("KEY=\"a\\q\"", "line 1: KEY ", "backslash"),
            ("KEY='a'b", "line 1: KEY ", "closing quote"),
            ("KEY='a\nB=1", "line 1: KEY ", "no closing quote"),
            ("1KEY=secret", "line 1: ", "NAME=VALUE"),
            ("=secret", "line 1: ", "NAME=VALUE"),
            ("A=1\nDEBUG=False\rSECRET_KEY=secret\rA=2\r", "line 2: ", "line feeds"),
            ("# said so\rSECRET_KEY=secret", "line 1: ", "line feeds"),
            ("KEY='a\nb\rSECRET_KEY=secret'", "line 1: KEY ", "line feeds"),
            ("SECRET_KEY=' secret'", "line 1: SECRET_KEY ", "a blank at an end"),
            ("A=1\nDB_PASSWORD=\"secret\u{a0}\"", "line 2: DB_PASSWORD ", "a blank at an end"),
            ("SECRET_KEY='\n secret'", "line 1: SECRET_KEY ", "a blank at an end"),
            ("KEY=\u{200b}\"secret\"", "line 1: KEY ", "invisible"),
            ("KEY=secret\u{2060} # said so", "line 1: KEY ", "invisible"),
            ("DEBUG=False SECRET_KEY=secret", "line 1: DEBUG has SECRET_KEY ", "a line of its own"),
            ("EMAIL_URL=file:data\tDB_PASSWORD=secret", "line 1: EMAIL_URL has DB_PASSWORD ", "a line of its own"),
        ] {
            let problems: Vec<_> = read(text).into_iter().filter_map(Result::err).collect();
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].starts_with(line) && problems[0].contains(part), "{text}: {problems:?}");
            assert!(!problems[0].contains("secret"), "{problems:?}");
        }
        for line in ["SECRET_KEY=''", "SECRET_KEY=' '", "JWT_PRIVATE_KEY=\"\na\nb\n\"", "OTHER=' a '"] {
            assert!(read(line).iter().all(Result::is_ok), "{line}");
        }
        let entries = read("KEY='a\nB=1");
        assert!(matches!(entries.last(), Some(Ok((name, _))) if name == "B"), "the lines after it are still read");
    }
}
