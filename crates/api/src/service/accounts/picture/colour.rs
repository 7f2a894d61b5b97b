//! Colours: from what a picture's profile says to sRGB, which is what everybody shows a picture without a profile in.

use image::{Rgba, RgbaImage};
use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients, TransferCharacteristics,
    TransformOptions,
};

/// A longer profile is not read, bytes. The largest that cameras and programs write have half of it.
const MAX_PROFILE_BYTES: usize = 2 * 1024 * 1024;

/// Tags of a profile that are texts for people, and that a defect is often in.
const TEXTS: [&[u8]; 4] = [b"desc", b"cprt", b"dmnd", b"dmdd"];
/// A tag that nobody knows.
const NO_TAG: &[u8; 4] = b"none";
/// Where a profile has the number of its tags, and then their table; the bytes of an entry.
const TAG_COUNT: usize = 128;
const TAG_BYTES: usize = 12;

/// What a file says of its colours.
#[derive(Debug, Default)]
pub(super) struct Colours {
    /// Of ICC.
    pub(super) profile: Option<Vec<u8>>,
    /// Code points (ITU-T H.273): primaries, transfer, matrix, whether the range is full. They win over a profile.
    pub(super) code_points: Option<[u8; 4]>,
}

/// The code points of a PNG: of its chunk cICP, which stands before the pixels (PNG, third edition, 11.3.2.6).
pub(super) fn code_points(png: &[u8]) -> Option<[u8; 4]> {
    let mut rest = png.get(8..)?;
    loop {
        let (length, chunk) = rest.split_first_chunk::<4>()?;
        let (name, chunk) = chunk.split_first_chunk::<4>()?;
        match name {
            b"cICP" => return chunk.first_chunk::<4>().copied(),
            b"IDAT" => return None,
            _ => rest = chunk.get(usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_add(4)?..)?,
        }
    }
}

/// Brings a picture into sRGB. A profile that cannot be read, or is about other channels than the picture has (the decoder
/// has made RGB of CMYK already), changes nothing, as in a browser.
pub(super) fn to_srgb(square: RgbaImage, colours: Colours, is_gray: bool) -> RgbaImage {
    converted(&square, colours, is_gray).unwrap_or(square)
}

fn converted(square: &RgbaImage, colours: Colours, is_gray: bool) -> Option<RgbaImage> {
    let profile = colours.code_points.and_then(of_code_points).or_else(|| of_icc(colours.profile?))?;
    let (layout, samples) = match profile.color_space {
        DataColorSpace::Rgb => (Layout::Rgba, square.as_raw().clone()),
        DataColorSpace::Gray if is_gray => (Layout::GrayAlpha, gray(square)),
        _ => return None,
    };
    let srgb = ColorProfile::new_srgb();
    let transform = profile.create_transform_8bit(layout, &srgb, Layout::Rgba, TransformOptions::default()).ok()?;
    let mut out = vec![0; square.as_raw().len()];
    transform.transform(&samples, &mut out).ok()?;
    RgbaImage::from_raw(square.width(), square.height(), out)
}

fn of_icc(mut bytes: Vec<u8>) -> Option<ColorProfile> {
    if bytes.len() > MAX_PROFILE_BYTES {
        return None;
    }
    let (count, tags) = bytes.get_mut(TAG_COUNT..)?.split_first_chunk_mut::<4>()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    for tag in tags.chunks_exact_mut(TAG_BYTES).take(count) {
        if TEXTS.contains(&&tag[..4]) {
            tag[..4].copy_from_slice(NO_TAG);
        }
    }
    ColorProfile::new_from_slice(&bytes).ok()
}

/// `None` for a narrow range, and for the transfers of high dynamic range, whose light a screen's range cannot hold. The decoder
/// has refused a matrix: a PNG is RGB.
fn of_code_points([primaries, transfer, _, full_range]: [u8; 4]) -> Option<ColorProfile> {
    use CicpColorPrimaries as Primaries;
    use TransferCharacteristics as Transfer;
    let color_primaries = Primaries::try_from(primaries).ok()?;
    let transfer_characteristics = Transfer::try_from(transfer).ok()?;
    let is_unknown = matches!(color_primaries, Primaries::Reserved | Primaries::Unspecified)
        || matches!(transfer_characteristics, Transfer::Reserved | Transfer::Unspecified);
    let is_high = matches!(transfer_characteristics, Transfer::Smpte2084 | Transfer::Hlg);
    if is_unknown || is_high || full_range != 1 {
        return None;
    }
    let (matrix_coefficients, full_range) = (MatrixCoefficients::Identity, true);
    let code_points = CicpProfile { color_primaries, transfer_characteristics, matrix_coefficients, full_range };
    let mut profile = ColorProfile::new_srgb();
    profile.update_rgb_colorimetry_from_cicp(code_points);
    Some(profile)
}

fn gray(square: &RgbaImage) -> Vec<u8> {
    square.pixels().flat_map(|Rgba([gray, _, _, alpha])| [*gray, *alpha]).collect()
}
