//! The colours of uploaded pictures, which profiles and other parts of their files define.

use crate::support::pictures::reencoded;
use crate::support::pictures::{jpeg, png, with_chunk};
use api::service::accounts::picture::Kind;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, GrayImage, ImageEncoder, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use moxcms::{ColorProfile, ToneReprCurve};
use std::fmt::Write;

/// Encodes the picture with a colour profile.
fn profiled(image: &DynamicImage, kind: Kind, profile: &[u8]) -> Vec<u8> {
    let (mut file, profile) = (Vec::new(), profile.to_vec());
    match kind {
        Kind::Png => {
            let mut encoder = PngEncoder::new(&mut file);
            encoder.set_icc_profile(profile).unwrap();
            image.write_with_encoder(encoder).unwrap();
        }
        Kind::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut file, 100);
            encoder.set_icc_profile(profile).unwrap();
            image.write_with_encoder(encoder).unwrap();
        }
        Kind::WebP => {
            let mut encoder = WebPEncoder::new_lossless(&mut file);
            encoder.set_icc_profile(profile).unwrap();
            image.write_with_encoder(encoder).unwrap();
        }
    }
    file
}

/// The colour in the middle of the re-encoded picture.
fn colour(kind: Kind, content: &[u8]) -> [u8; 3] {
    let image = reencoded(kind, content).1.into_rgb8();
    image.get_pixel(image.width() / 2, image.height() / 2).0
}

fn is_near(found: [u8; 3], expected: [u8; 3]) -> bool {
    found.into_iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 2)
}

/// Some programs number the parts of a profile from 0, or write them twice.
#[test]
fn the_profile_of_a_jpeg_is_read_however_its_parts_are_numbered() {
    let image = DynamicImage::from(RgbImage::from_pixel(40, 40, Rgb([80, 150, 220])));
    let sent = profiled(&image, Kind::Jpeg, &ColorProfile::new_display_p3().encode().unwrap());
    let name = sent.windows(12).position(|bytes| bytes == b"ICC_PROFILE\0").unwrap();
    let length = usize::from(u16::from_be_bytes([sent[name - 2], sent[name - 1]]));
    let (begin, end) = (name - 4, name - 2 + length);
    let numbered = |number: u8, count: u8| {
        let mut changed = sent.clone();
        changed[name + 12..name + 14].copy_from_slice(&[number, count]);
        changed
    };
    let twice = [&sent[..end], &sent[begin..]].concat();
    // One part in two, from 0 on and the last one first.
    let half = usize::midpoint(name + 14, end);
    let part = |number: u8, data: &[u8]| {
        let length = u16::try_from(data.len() + 16).unwrap().to_be_bytes();
        [&[0xff, 0xe2][..], &length, b"ICC_PROFILE\0", &[number, 2], data].concat()
    };
    let (first, last) = (part(0, &sent[name + 14..half]), part(1, &sent[half..end]));
    let split = [&sent[..begin], &last, &first, &last, &sent[end..]].concat();
    let corrected = colour(Kind::Jpeg, &sent);
    assert!(is_near(corrected, [48, 152, 226]), "{corrected:?}");
    for sent in [numbered(0, 1), twice, split] {
        assert_eq!(colour(Kind::Jpeg, &sent), corrected);
    }
    // A part is missing.
    let plain = colour(Kind::Jpeg, &jpeg(&image));
    for sent in [numbered(1, 2), numbered(2, 1), numbered(2, 2), numbered(0, 0)] {
        assert!(is_near(colour(Kind::Jpeg, &sent), plain));
    }
}

/// The expected colours were computed with the matrices and curves of the standards (Display P3: SMPTE EG 432-1, D65), not
/// with the library that the API uses.
#[test]
fn colours_are_converted_by_the_profile() {
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    // The same primaries with a plain gamma, as some screens' profiles have it.
    let mut gamma = ColorProfile::new_display_p3();
    let curve = Some(ToneReprCurve::Parametric(vec![2.2]));
    (gamma.red_trc, gamma.green_trc, gamma.blue_trc, gamma.cicp) = (curve.clone(), curve.clone(), curve, None);
    let gamma = gamma.encode().unwrap();
    let (srgb, dark) =
        (ColorProfile::new_srgb().encode().unwrap(), ColorProfile::new_gray_with_gamma(1.0).encode().unwrap());
    // One corner is transparent, so that the result is a PNG, which keeps the computed colours.
    let of = |[red, green, blue]: [u8; 3], side| {
        let colour = |x, y| Rgba([red, green, blue, if x + y == 0 { 0 } else { 255 }]);
        DynamicImage::from(RgbaImage::from_fn(side, side, colour))
    };
    let colours = [
        (&p3, [80, 150, 220], [48, 152, 226]),
        (&gamma, [80, 150, 220], [44, 154, 227]),
        (&p3, [255; 3], [255; 3]),
        (&p3, [0; 3], [0; 3]),
        (&p3, [128; 3], [128; 3]),
    ];
    for (profile, given, expected) in colours {
        for (kind, side) in [(Kind::Png, 40), (Kind::Png, 1100), (Kind::WebP, 40), (Kind::WebP, 1100)] {
            let found = colour(kind, &profiled(&of(given, side), kind, profile));
            assert!(is_near(found, expected), "{given:?} of {kind:?}: {found:?}");
        }
        let opaque = of(given, 40).into_rgb8().into();
        let found = colour(Kind::Jpeg, &profiled(&opaque, Kind::Jpeg, profile));
        assert!(found.into_iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 6), "{found:?}");
    }
    assert!(is_near(colour(Kind::Png, &profiled(&of([80, 150, 220], 40), Kind::Png, &srgb)), [80, 150, 220]));
    let gray = DynamicImage::from(GrayImage::from_pixel(40, 40, Luma([55])));
    // Linear light: 55/255 is 0.2157, which sRGB writes as 128.
    assert!(is_near(colour(Kind::Png, &profiled(&gray, Kind::Png, &dark)), [128; 3]));
}

/// Screenshots of wide-gamut screens have such code points (PNG, third edition, 11.3.2.6).
#[test]
fn code_points_of_a_png_take_precedence_over_its_profile() {
    let image =
        DynamicImage::from(RgbaImage::from_fn(40, 40, |x, y| Rgba([80, 150, 220, if x + y == 0 { 0 } else { 255 }])));
    let srgb = profiled(&image, Kind::Png, &ColorProfile::new_srgb().encode().unwrap());
    let (plain, p3) = ([80, 150, 220], [48, 152, 226]);
    for (code_points, expected) in [
        (&[12, 13, 0, 1][..], p3),
        (&[1, 13, 0, 1], plain),
        (&[2, 13, 0, 1], plain),
        (&[12, 2, 0, 1], plain),
        (&[255, 255, 0, 1], plain),
        // XYZ, which no screen has.
        (&[10, 13, 0, 1], plain),
        // A narrow range, high dynamic range.
        (&[12, 13, 0, 0], plain),
        (&[9, 16, 0, 1], plain),
        (&[9, 18, 0, 1], plain),
    ] {
        for png in [&png(&image), &srgb] {
            let found = colour(Kind::Png, &with_chunk(png, *b"cICP", code_points));
            assert!(is_near(found, expected), "{code_points:?}: {found:?}");
        }
    }
}

/// Each tag of a profile, and where its entry is in the table.
fn tags(profile: &[u8]) -> Vec<([u8; 4], usize)> {
    let count = usize::try_from(u32::from_be_bytes(profile[128..132].try_into().unwrap())).unwrap();
    (0..count).map(|tag| 132 + 12 * tag).map(|at| (profile[at..at + 4].try_into().unwrap(), at)).collect()
}

/// The profile with one more tag, or another content for one that it has.
fn with_tag(profile: &[u8], name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut changed = profile.to_vec();
    let entry = tags(profile).into_iter().find(|(tag, _)| *tag == name).map(|(_, at)| at);
    let at = entry.unwrap_or_else(|| {
        // Replaces the copyright text, which is not read.
        tags(profile).into_iter().find(|(tag, _)| tag == b"cprt").unwrap().1
    });
    let location = [u32::try_from(profile.len()).unwrap(), u32::try_from(content.len()).unwrap()].map(u32::to_be_bytes);
    changed[at..at + 12].copy_from_slice(&[&name[..], &location[0], &location[1]].concat());
    changed.extend(content);
    changed
}

fn is_p3(profile: &[u8]) -> bool {
    let image = DynamicImage::from(RgbImage::from_pixel(40, 40, Rgb([80, 150, 220])));
    [Kind::Png, Kind::WebP].into_iter().all(|kind| {
        let found = colour(kind, &profiled(&image, kind, profile));
        found.into_iter().zip([48, 152, 226]).all(|(found, expected)| found.abs_diff(expected) <= 6)
    })
}

/// Empty texts, and every other tag that is not needed for a colour.
#[test]
fn a_defect_in_an_unused_tag_of_a_profile_does_not_matter() {
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let names: Vec<_> = tags(&p3).into_iter().map(|(name, _)| name).collect();
    let needed = [*b"rXYZ", *b"gXYZ", *b"bXYZ", *b"rTRC", *b"gTRC", *b"bTRC"];
    let others = [
        "desc", "cprt", "dmnd", "dmdd", "wtpt", "bkpt", "lumi", "meas", "chad", "targ", "vued", "view", "tech", "gamt",
        "calt", "cicp", "A2B0", "A2B1", "A2B2", "B2A0", "B2A1", "B2A2", "ps2i", "????",
    ];
    let others = others.into_iter().map(|name| name.as_bytes().try_into().unwrap());
    let junk = [&b"mluc\0\0\0\0\0\0\0\0"[..], b"", b"mft2\0\0\0\0\x03\x03\x21\0", &[0xff; 40]];
    for name in others.chain(names).filter(|name| !needed.contains(name)) {
        for content in junk {
            assert!(is_p3(&with_tag(&p3, name, content)), "{:?} {content:?}", String::from_utf8_lossy(&name));
        }
    }
    for name in needed {
        assert!(!is_p3(&with_tag(&p3, name, &[0xff; 40])), "{:?}", String::from_utf8_lossy(&name));
    }
}

#[test]
fn a_profile_of_any_version_is_read() {
    let mut p3 = ColorProfile::new_display_p3().encode().unwrap();
    for version in [[0, 0], [1, 0], [2, 0x10], [2, 0x40], [3, 0], [4, 0x30], [5, 0], [9, 0x90], [255, 255]] {
        p3[8..10].copy_from_slice(&version);
        assert!(is_p3(&p3), "{version:?}");
    }
}

/// Big-endian words; the chunks count in hundred thousandths.
fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// The expected colours were computed with the matrices and curves of the standards, and Bradford's adaptation where the white
/// point differs, not with the library that the API uses.
#[test]
fn the_gamma_and_the_primaries_of_a_png_are_used_without_a_better_source() {
    const SRGB: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
    const P3: [u32; 8] = [31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000];
    const ADOBE: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000];
    const OF_PAPER: [u32; 8] = [34_570, 35_850, 63_000, 34_000, 29_500, 60_500, 15_500, 7_700];
    let plain = [80, 150, 220];
    let image =
        DynamicImage::from(RgbaImage::from_fn(40, 40, |x, y| Rgba([80, 150, 220, if x + y == 0 { 0 } else { 255 }])));
    let with = |png: &[u8], gamma: Option<u32>, primaries: Option<&[u32]>| {
        let png = primaries.map_or(png.to_vec(), |primaries| with_chunk(png, *b"cHRM", &words(primaries)));
        gamma.map_or(png.clone(), |gamma| with_chunk(&png, *b"gAMA", &words(&[gamma])))
    };
    for (gamma, primaries, expected) in [
        (Some(45_455), Some(&P3[..]), [44, 154, 227]),
        (None, Some(&P3), [48, 152, 226]),
        (Some(55_556), Some(&P3), [72, 169, 232]),
        (Some(45_470), Some(&ADOBE), [0, 151, 223]),
        (Some(55_556), Some(&OF_PAPER), [83, 167, 225]),
        (Some(100_000), None, [152, 202, 239]),
        (Some(55_556), Some(&SRGB), [99, 167, 227]),
        // This means sRGB, whose curve the exponent only approximates.
        (Some(45_455), Some(&SRGB), plain),
        (Some(45_455), None, plain),
        (None, Some(&SRGB), plain),
        // Values without a meaning.
        (Some(0), None, plain),
        (Some(1), None, plain),
        (Some(u32::MAX), None, plain),
        (None, Some(&[0; 8]), plain),
        (None, Some(&[u32::MAX; 8]), plain),
        (None, Some(&P3[..7]), plain),
        (None, Some(&[31_270, 32_900, 64_000, 33_000, 64_000, 33_000, 15_000, 6_000]), plain),
    ] {
        let found = colour(Kind::Png, &with(&png(&image), gamma, primaries));
        assert!(is_near(found, expected), "{gamma:?} {primaries:?}: {found:?}");
    }
    let gray = DynamicImage::from(GrayImage::from_pixel(40, 40, Luma([55])));
    assert!(is_near(colour(Kind::Png, &with(&png(&gray), Some(100_000), Some(&P3))), [128; 3]));

    // A more precise source takes precedence.
    let linear = |png: &[u8]| colour(Kind::Png, &with(png, Some(100_000), Some(&P3)));
    let (srgb, p3) = (ColorProfile::new_srgb().encode().unwrap(), ColorProfile::new_display_p3().encode().unwrap());
    assert!(is_near(linear(&with_chunk(&png(&image), *b"sRGB", &[0])), plain));
    assert!(is_near(linear(&profiled(&image, Kind::Png, &srgb)), plain));
    assert!(is_near(linear(&profiled(&image, Kind::Png, &p3)), [48, 152, 226]));
    assert!(is_near(linear(&with_chunk(&png(&image), *b"cICP", &[12, 13, 0, 1])), [48, 152, 226]));
    assert!(is_near(linear(&with_chunk(&png(&image), *b"cICP", &[1, 13, 0, 1])), plain));
    // A profile that cannot be read is ignored.
    assert!(is_near(linear(&profiled(&image, Kind::Png, b"none")), linear(&png(&image))));
}

/// A JPEG of one block, whose four channels have these values (ITU-T T.81, B.2). Each block is a difference from the middle of the
/// range in eight bits or fewer, and the end of the block.
fn cmyk_jpeg(values: [u8; 4], profile: &[u8]) -> Vec<u8> {
    let segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    };
    let mut bits = String::new();
    for value in values {
        let level = i32::from(value) - 128;
        let category = 32 - level.unsigned_abs().leading_zeros();
        let amount = if level < 0 { level + (1 << category) - 1 } else { level };
        // No value is 128, whose difference would have no bits.
        write!(bits, "{category:04b}{amount:0width$b}0", width = category as usize).unwrap();
    }
    let padded = format!("{bits}{}", "1".repeat((8 - bits.len() % 8) % 8));
    let bytes = padded.as_bytes().chunks(8).map(|byte| u8::from_str_radix(str::from_utf8(byte).unwrap(), 2).unwrap());
    // A byte of ones is followed by a zero, so that it is no marker.
    let scan: Vec<u8> = bytes.flat_map(|byte| if byte == 0xff { vec![0xff, 0] } else { vec![byte] }).collect();
    let channels = [1, 2, 3, 4].map(|id| [id, 0x11, 0]).concat();
    let nine_categories = [&[0, 0, 0, 0, 9][..], &[0; 12], &[0, 1, 2, 3, 4, 5, 6, 7, 8]].concat();
    let end_of_block_only = [&[0x10, 1][..], &[0; 15], &[0]].concat();
    [
        &[0xff, 0xd8][..],
        &segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", profile].concat()),
        &segment(0xdb, &[&[0][..], &[8; 64]].concat()),
        &segment(0xc0, &[&[8, 0, 8, 0, 8, 4][..], &channels].concat()),
        &segment(0xc4, &nine_categories),
        &segment(0xc4, &end_of_block_only),
        &segment(0xda, &[4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]),
        &scan,
        &[0xff, 0xd9],
    ]
    .concat()
}

#[test]
fn a_profile_of_other_channels_than_a_cmyk_picture_has_changes_nothing() {
    let values = [240, 130, 60, 200];
    let mut linear = ColorProfile::new_srgb();
    let curve = Some(ToneReprCurve::Parametric(vec![1.0]));
    (linear.red_trc, linear.green_trc, linear.blue_trc, linear.cicp) = (curve.clone(), curve.clone(), curve, None);
    let plain = colour(Kind::Jpeg, &cmyk_jpeg(values, b"none"));
    assert_ne!(plain, [0; 3]);
    assert_eq!(colour(Kind::Jpeg, &cmyk_jpeg(values, &linear.encode().unwrap())), plain);
}

#[test]
fn a_profile_that_cannot_be_used_changes_nothing() {
    let image = DynamicImage::from(RgbImage::from_pixel(40, 40, Rgb([80, 150, 220])));
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let gray = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let mut wrong_size = p3.clone();
    wrong_size[..4].copy_from_slice(&[0xff; 4]);
    let mut many_tags = p3.clone();
    many_tags[128..132].copy_from_slice(&[0xff; 4]);
    let huge = [p3.clone(), vec![0; 3 * 1024 * 1024]].concat();
    for profile in
        [b"none".to_vec(), p3[..100].to_vec(), p3[..p3.len() / 2].to_vec(), vec![0xff; 5000], gray, many_tags, huge]
    {
        for kind in [Kind::Png, Kind::WebP] {
            let found = colour(kind, &profiled(&image, kind, &profile));
            assert!(is_near(found, [80, 150, 220]), "{} bytes: {found:?}", profile.len());
        }
    }
    colour(Kind::Png, &profiled(&image, Kind::Png, &wrong_size));
}
