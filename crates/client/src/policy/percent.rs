//! Percent-decoding.

/// How many times the text may have been encoded. Each program that passes a link on may encode it once.
const ROUNDS: usize = 4;

/// Decodes percent-encoded text, also where it was encoded several times. Invalid encodings stay as they are.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let decoded = decoded_once(&text);
        if decoded == text {
            break;
        }
        text = decoded;
    }
    text
}

fn decoded_once(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let (byte, behind) = match others {
            [high, low, behind @ ..] if *first == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, behind),
                _ => (*first, others),
            },
            _ => (*first, others),
        };
        bytes.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_encoding_is_decoded() {
        for (text, decoded) in [("a%23b", "a#b"), ("a%2523b", "a#b"), ("%3d%3D", "=="), ("%C3%A9", "é"), ("", "")] {
            assert_eq!(percent_decoded(text), decoded, "{text}");
        }
    }

    #[test]
    fn text_that_is_not_encoded_stays() {
        for text in ["%", "%2", "%zz", "100%", "a+b", "%%", "é"] {
            assert_eq!(percent_decoded(text), text);
        }
        assert_eq!(percent_decoded("%FF"), "\u{fffd}");
    }
}
