//! Tables of characters, as ranges of code points.

/// Whether one of `ranges`, which are in order, contains this character.
pub(crate) fn is_in(ranges: &[(u32, u32)], c: char) -> bool {
    let code = u32::from(c);
    let next = ranges.partition_point(|(_, last)| *last < code);
    ranges.get(next).is_some_and(|(first, _)| *first <= code)
}
