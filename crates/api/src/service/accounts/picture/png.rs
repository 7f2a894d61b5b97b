//! What a PNG declares that the decoder does not read.

/// The descriptions of its colours are in order of precedence, with a profile after the first (PNG, third edition, section 4.3);
/// they and the number of frames come before the pixels.
#[derive(Debug, Default)]
pub(super) struct Marks<'a> {
    /// cICP: primaries, transfer, matrix, whether the range is full (ITU-T H.273).
    pub(super) code_points: Option<[u8; 4]>,
    /// sRGB.
    pub(super) is_srgb: bool,
    /// gAMA: the exponent of the encoding.
    pub(super) gamma: Option<f32>,
    /// cHRM: white, red, green and blue, x and y of each.
    pub(super) chromaticities: Option<[[f32; 2]; 4]>,
    /// acTL: how many frames there are. A picture of one does not move.
    frames: u32,
    /// eXIf, which may also come after the pixels (table 7).
    pub(super) exif: Option<&'a [u8]>,
}

impl<'a> Marks<'a> {
    pub(super) fn of(png: &'a [u8]) -> Self {
        let mut marks = Self::default();
        let mut has_pixels = false;
        for (name, content) in Chunks(png.get(8..).unwrap_or_default()) {
            match name {
                b"eXIf" if marks.exif.is_none() => marks.exif = Some(content),
                b"IDAT" => has_pixels = true,
                _ if has_pixels => {}
                b"acTL" => marks.frames = content.first_chunk().map_or(0, |frames| u32::from_be_bytes(*frames)),
                b"cICP" => marks.code_points = content.first_chunk().copied(),
                b"sRGB" => marks.is_srgb = true,
                b"gAMA" => marks.gamma = numbers(content).next(),
                b"cHRM" => marks.chromaticities = chromaticities(content),
                _ => {}
            }
        }
        marks
    }

    pub(super) const fn moves(&self) -> bool {
        self.frames > 1
    }
}

/// The chunks of a PNG.
struct Chunks<'a>(&'a [u8]);

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let (content, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        self.0 = rest.get(4..)?; // after the checksum
        Some((name, content))
    }
}

/// Numbers in units of 1/100,000.
#[expect(clippy::cast_precision_loss, reason = "seven digits are more than eight bits of a colour need")]
fn numbers(content: &[u8]) -> impl Iterator<Item = f32> {
    let (numbers, _) = content.as_chunks::<4>();
    numbers.iter().map(|number| u32::from_be_bytes(*number) as f32 / 100_000.0)
}

fn chromaticities(content: &[u8]) -> Option<[[f32; 2]; 4]> {
    let numbers: Vec<_> = numbers(content).collect();
    let (pairs, _) = numbers.as_chunks::<2>();
    pairs.first_chunk::<4>().copied()
}
