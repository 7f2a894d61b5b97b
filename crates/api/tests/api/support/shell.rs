//! Runs the blocks of a document one after the other, as a reader does who copies them into a terminal.

use super::document::Block;
use super::eventually;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a block printed, and the line where it begins.
#[derive(Debug)]
pub struct BlockOutput {
    pub line: usize,
    pub output: String,
}

/// Printed where the next block begins; no program prints this.
const MARK: &str = "\u{1}next block\u{1}";

/// Runs all blocks in one shell, so that a later block sees the variables of an earlier one; `api` and PostgreSQL's own
/// programs are on its path.
pub async fn run(blocks: &[&Block], folder: &Path, variables: &[(String, String)]) -> Result<Vec<BlockOutput>, String> {
    let mut script = String::new();
    for command in blocks.iter().filter_map(|block| block.command()) {
        script.extend(["printf '%s' '", MARK, "'\n", &command]);
    }
    let output = folder.join(".output");
    let file = std::fs::File::create(&output).unwrap();
    let mut shell = Command::new("sh")
        .args(["-eu", "-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path())
        .env("HOME", folder)
        .envs(variables.iter().cloned())
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .process_group(0)
        .spawn()
        .unwrap();
    let group = format!("-{}", shell.id());
    let status = eventually("the commands end", async || shell.try_wait().unwrap()).await;
    // Processes that a command left in the background end with the section.
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let text = String::from_utf8_lossy(&std::fs::read(&output).unwrap()).replace('\r', "");
    let outputs = text.split(MARK).skip(1).zip(blocks);
    let printed: Vec<_> =
        outputs.map(|(output, block)| BlockOutput { line: block.line, output: output.to_owned() }).collect();
    match printed.last() {
        Some(last) if !status.success() => {
            Err(format!("the block at line {} ended with {status}:\n{}", last.line, last.output))
        }
        _ => Ok(printed),
    }
}

fn path() -> String {
    let api = Path::new(env!("CARGO_BIN_EXE_api")).parent().unwrap();
    let postgres = std::env::var("TEST_POSTGRES_BIN").unwrap_or_default();
    format!("{}:{postgres}:{}", api.display(), std::env::var("PATH").unwrap())
}

/// Whether the output is what a document shows, where `…` stands for anything.
pub fn fits(shown: &str, output: &str) -> bool {
    let (shown, output) = (shown.trim_end(), output.trim_end());
    let mut pieces: Vec<_> = shown.split('…').collect();
    let (first, last) = (pieces.remove(0), pieces.pop());
    let Some(mut rest) = output.strip_prefix(first) else { return false };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    for (shown, output, fit) in [
        ("a line\n", "a line", true),
        ("a line\n", "a lime", false),
        ("a line\n", "a line and more", false),
        ("a … line\n…\nthe end", "a long line\none\ntwo\nthe end\n", true),
        ("a … line\n…\nthe end", "a long line\nthe beginning", false),
        ("{…}", "{\"a\": 1}", true),
        ("{…", "nothing", false),
        ("…a", "a", true),
        ("…ab…ba", "aba", false),
        ("…", "", true),
    ] {
        assert_eq!(fits(shown, output), fit, "{shown:?} {output:?}");
    }
}
