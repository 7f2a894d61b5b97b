//! PEM (RFC 7468), as people paste it.

/// The text between a BEGIN and its END.
pub(super) struct PemBlock {
    pub(super) label: String,
    /// Base64, without blanks and line ends.
    pub(super) body: String,
}

/// The blocks of a text. `None` if there is none, or any other text: part of a key may have been lost.
pub(super) fn blocks(text: &str) -> Option<Vec<PemBlock>> {
    // Dashboards keep a variable on one line and write its line ends as two characters.
    let text = text.replace("\\n", "\n");
    let mut blocks = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (label, after) = rest.strip_prefix("-----BEGIN ")?.split_once("-----")?;
        let (body, after) = after.split_once("-----END ")?;
        rest = after.strip_prefix(label)?.strip_prefix("-----")?.trim_start();
        blocks.push(PemBlock { label: label.to_owned(), body: body.split_whitespace().collect() });
    }
    (!blocks.is_empty()).then_some(blocks)
}
