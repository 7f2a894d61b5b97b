//! Colours: from a picture's profile to sRGB, in which a picture without a profile is shown.

use super::png::Marks;
use image::{Rgba, RgbaImage};
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics, TransformOptions,
};

/// A longer profile is not read, bytes. The largest that cameras and programs write have half of it.
const MAX_PROFILE_BYTES: usize = 2 * 1024 * 1024;

/// The tags that a colour is computed from: the primaries and curves of red, green and blue, and the curve of gray. Defects in
/// other tags are common and do not matter.
const NEEDED: [&[u8]; 7] = [b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC"];
/// The tags that it is computed from instead, if they are present and valid.
const TABLES: [&[u8]; 4] = [b"A2B0", b"A2B1", b"A2B2", b"cicp"];
/// An unknown tag.
const NO_TAG: &[u8; 4] = b"none";
/// The offset of the number of a profile's tags, which their table follows; and the length of an entry.
const TAG_COUNT: usize = 128;
const TAG_BYTES: usize = 12;
/// The offset of its version. A version that the library does not know is read as the newest one that it knows.
const VERSION: usize = 8;
const NEWEST_VERSION: u8 = 4;

/// sRGB's white, red, green and blue, and the exponent that stands for its curve.
const SRGB: [[f32; 2]; 4] = [[0.3127, 0.329], [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]];
const SRGB_GAMMA: f32 = 0.45455;

/// How a file describes its colours.
#[derive(Debug, Default)]
pub(super) struct Colours<'a> {
    /// The ICC profile.
    pub(super) profile: Option<Vec<u8>>,
    /// Further marks of a PNG. Code points take precedence over the profile, and the profile over the others.
    pub(super) marks: Marks<'a>,
}

/// Converts a picture to sRGB. A profile that cannot be read, or describes other channels than the picture has, changes nothing,
/// as in a browser.
pub(super) fn to_srgb(square: RgbaImage, colours: &Colours<'_>, is_gray: bool) -> RgbaImage {
    converted(&square, colours, is_gray).unwrap_or(square)
}

/// Converts by the first usable description.
fn converted(square: &RgbaImage, Colours { profile, marks }: &Colours<'_>, is_gray: bool) -> Option<RgbaImage> {
    let icc = |tags: &[&[u8]]| of_icc(profile.as_deref()?, tags);
    let descriptions: [&dyn Fn() -> Option<ColorProfile>; 4] =
        [&|| of_code_points(marks.code_points?), &|| icc(&[&NEEDED[..], &TABLES].concat()), &|| icc(&NEEDED), &|| {
            of_curve(marks)
        }];
    descriptions.into_iter().find_map(|profile| in_srgb(square, &profile()?, is_gray))
}

fn in_srgb(square: &RgbaImage, profile: &ColorProfile, is_gray: bool) -> Option<RgbaImage> {
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

fn of_icc(bytes: &[u8], tags: &[&[u8]]) -> Option<ColorProfile> {
    let bytes = Some(bytes).filter(|bytes| bytes.len() <= MAX_PROFILE_BYTES)?;
    ColorProfile::new_from_slice(&with_tags(bytes, tags)?).ok()
}

/// A profile with only these tags, in a version that the library knows.
fn with_tags(bytes: &[u8], kept: &[&[u8]]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let version = bytes.get_mut(VERSION)?;
    if !(2..=NEWEST_VERSION).contains(version) {
        *version = NEWEST_VERSION;
    }
    let (count, tags) = bytes.get_mut(TAG_COUNT..)?.split_first_chunk_mut::<4>()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    for tag in tags.chunks_exact_mut(TAG_BYTES).take(count) {
        if !kept.contains(&&tag[..4]) {
            tag[..4].copy_from_slice(NO_TAG);
        }
    }
    Some(bytes)
}

/// `None` if it is sRGB, or not displayable.
fn of_curve(marks: &Marks<'_>) -> Option<ColorProfile> {
    let gamma = marks.gamma.filter(|gamma| (0.1..=10.0).contains(gamma));
    let primaries = marks.chromaticities.filter(has_area);
    let is_near = |one: f32, other: f32| (one - other).abs() < 0.001;
    let is_srgb =
        |corners: [[f32; 2]; 4]| corners.as_flattened().iter().zip(SRGB.as_flattened()).all(|(a, b)| is_near(*a, *b));
    let is_plain = gamma.is_none_or(|gamma| is_near(gamma, SRGB_GAMMA)) && primaries.is_none_or(is_srgb);
    if marks.is_srgb || is_plain {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    if let Some(corners) = primaries {
        let [white, red, green, blue] = corners.map(|[x, y]| Chromaticity::new(x, y));
        profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
    }
    if let Some(gamma) = gamma {
        let curve = Some(ToneReprCurve::Parametric(vec![gamma.recip()]));
        (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    }
    profile.cicp = None;
    Some(profile)
}

/// Whether the primaries span an area, and all of the points are physically possible.
fn has_area([white, red, green, blue]: &[[f32; 2]; 4]) -> bool {
    let area = (green[0] - red[0]) * (blue[1] - red[1]) - (blue[0] - red[0]) * (green[1] - red[1]);
    let is_of_light = |[x, y]: &[f32; 2]| *y > 0.0 && x + y <= 1.0;
    area.abs() > 0.001 && [white, red, green, blue].into_iter().all(is_of_light)
}

/// `None` for a narrow range, and for the transfers of high dynamic range, whose light a screen's range cannot hold. The decoder
/// has refused a matrix: a PNG is RGB.
fn of_code_points([primaries, transfer, _, full_range]: [u8; 4]) -> Option<ColorProfile> {
    use CicpColorPrimaries as Primaries;
    use TransferCharacteristics as Transfer;
    let color_primaries = Primaries::try_from(primaries).ok()?;
    let transfer_characteristics = Transfer::try_from(transfer).ok()?;
    // XYZ primaries are not those of a display.
    let is_unknown = matches!(color_primaries, Primaries::Reserved | Primaries::Unspecified | Primaries::Xyz)
        || matches!(transfer_characteristics, Transfer::Reserved | Transfer::Unspecified);
    let is_high = matches!(transfer_characteristics, Transfer::Smpte2084 | Transfer::Hlg);
    if is_unknown || is_high || full_range != 1 {
        return None;
    }
    let code_points = CicpProfile {
        color_primaries,
        transfer_characteristics,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    };
    let mut profile = ColorProfile::new_srgb();
    profile.update_rgb_colorimetry_from_cicp(code_points);
    Some(profile)
}

fn gray(square: &RgbaImage) -> Vec<u8> {
    square.pixels().flat_map(|Rgba([gray, _, _, alpha])| [*gray, *alpha]).collect()
}
