//! Colours: from what a picture's profile says to sRGB, which is what everybody shows a picture without a profile in.

use image::{Rgba, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// A longer profile is not read, bytes. The largest that cameras and programs write have half of it.
const MAX_PROFILE_BYTES: usize = 2 * 1024 * 1024;

/// Brings a picture into sRGB. A profile that cannot be read, or is about other channels than the picture has (the decoder
/// has made RGB of CMYK already), changes nothing, as in a browser.
pub(super) fn to_srgb(square: RgbaImage, profile: Option<&[u8]>, is_gray: bool) -> RgbaImage {
    converted(&square, profile, is_gray).unwrap_or(square)
}

fn converted(square: &RgbaImage, profile: Option<&[u8]>, is_gray: bool) -> Option<RgbaImage> {
    let bytes = profile.filter(|bytes| bytes.len() <= MAX_PROFILE_BYTES)?;
    let profile = ColorProfile::new_from_slice(bytes).ok()?;
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

fn gray(square: &RgbaImage) -> Vec<u8> {
    square.pixels().flat_map(|Rgba([gray, _, _, alpha])| [*gray, *alpha]).collect()
}
