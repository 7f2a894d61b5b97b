//! What a JPEG declares that the decoder does not read, or reads differently from browsers.

use std::ops::RangeInclusive;

/// The marker before the pixels.
const SCAN: u8 = 0xda;
/// The marker that profiles follow, among other data.
const PROFILE: u8 = 0xe2;

/// The marker that Exif data follow, among other data.
const EXIF: u8 = 0xe1;
/// The markers of a frame, whose content has the number of channels at this offset (ITU-T T.81, B.2.2). Among their numbers are
/// three that mark tables.
const FRAMES: RangeInclusive<u8> = 0xc0..=0xcf;
const TABLES: [u8; 3] = [0xc4, 0xc8, 0xcc];
const CHANNELS: usize = 5;

/// Whether a JPEG is complete. The decoder accepts less and paints the rest grey. The end marker cannot occur within the pixels
/// (ITU-T T.81, B.1.1.2), but it can in a preview before them.
pub(super) fn has_end(jpeg: &[u8]) -> bool {
    let mut scans = JpegSegments::of(jpeg).filter(|(marker, _)| *marker == SCAN);
    scans.any(|(_, pixels)| pixels.windows(2).any(|pair| pair == [0xff, 0xd9]))
}

/// The first Exif data. The decoder reads the last.
pub(super) fn exif(jpeg: &[u8]) -> Option<&[u8]> {
    let mut segments = JpegSegments::of(jpeg).filter(|(marker, _)| *marker == EXIF);
    segments.find_map(|(_, content)| content.strip_prefix(b"Exif\0\0"))
}

/// Whether the colours are CMYK, which the decoder converts to RGB.
fn is_cmyk(jpeg: &[u8]) -> bool {
    let mut frames = JpegSegments::of(jpeg).filter(|(marker, _)| FRAMES.contains(marker) && !TABLES.contains(marker));
    frames.any(|(_, content)| content.get(CHANNELS) == Some(&4))
}

/// The profile of an RGB or gray picture, joined from parts that each contain their number and count (ICC.1:2022, B.4). The decoder accepts parts that are
/// numbered from 1 without duplicates; some programs number from 0, or write them twice.
pub(super) fn profile(jpeg: &[u8]) -> Option<Vec<u8>> {
    // Its profile describes colours that the decoded picture no longer has.
    if is_cmyk(jpeg) {
        return None;
    }
    let mut parts: Vec<(u8, u8, &[u8])> =
        JpegSegments::of(jpeg).filter_map(|(marker, content)| part(marker, content)).collect();
    parts.sort_by_key(|(number, ..)| *number);
    parts.dedup_by_key(|(number, ..)| *number);
    let &(first, count, _) = parts.first()?;
    let is_next = |(index, (number, ..)): (usize, &(u8, u8, &[u8]))| usize::from(*number) == usize::from(first) + index;
    let is_whole = first <= 1 && usize::from(count) == parts.len() && parts.iter().enumerate().all(is_next);
    is_whole.then(|| parts.iter().flat_map(|(.., data)| data.iter().copied()).collect())
}

/// Number, count and content of a part of a profile.
fn part(marker: u8, content: &[u8]) -> Option<(u8, u8, &[u8])> {
    let [number, count, data @ ..] = content.strip_prefix(b"ICC_PROFILE\0")? else { return None };
    (marker == PROFILE).then_some((*number, *count, data))
}

/// Markers and contents, up to the pixels and all that follows them.
struct JpegSegments<'a>(&'a [u8]);

impl<'a> JpegSegments<'a> {
    fn of(jpeg: &'a [u8]) -> Self {
        Self(jpeg.get(2..).unwrap_or_default())
    }
}

impl<'a> Iterator for JpegSegments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while let [0xff, 0xff, ..] = self.0 {
            self.0 = &self.0[1..]; // fill bytes
        }
        let [0xff, marker, rest @ ..] = self.0 else { return None };
        if *marker == SCAN {
            self.0 = &[];
            return Some((SCAN, rest));
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let content = rest.get(2..length)?;
        self.0 = &rest[length..];
        Some((*marker, content))
    }
}
