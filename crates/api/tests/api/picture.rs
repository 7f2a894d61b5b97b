//! How the pictures that users upload are re-encoded.

use crate::support::pictures::reencoded;
use crate::support::pictures::{
    animated_webp, badge, encoded, exif, jpeg, photo, png, png_bomb, webp, with_chunk, with_exif, with_last_chunk,
};
use api::service::accounts::picture::{Kind, PictureError, reencode};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

fn size(image: &DynamicImage) -> (u32, u32) {
    (image.width(), image.height())
}

fn is_red(pixel: Rgba<u8>) -> bool {
    pixel.0[0] > 150 && pixel.0[2] < 100
}

#[test]
fn the_middle_of_each_kind_becomes_a_square() {
    let wide = photo(1200, 700);
    for (kind, content) in [(Kind::Png, png(&wide)), (Kind::Jpeg, jpeg(&wide)), (Kind::WebP, webp(&wide))] {
        let (picture, image) = reencoded(kind, &content);
        assert_eq!((picture.kind, size(&image)), (Kind::Jpeg, (512, 512)), "{kind:?}");
        let image = image.into_rgba8();
        assert!(is_red(*image.get_pixel(256, 20)) && !is_red(*image.get_pixel(256, 490)), "{kind:?}");
    }
    let (_, small) = reencoded(Kind::Png, &png(&photo(30, 200)));
    assert_eq!(size(&small), (30, 30), "a small picture stays small");
}

#[test]
fn transparency_is_kept() {
    for side in [40, 600] {
        let (picture, image) = reencoded(Kind::WebP, &webp(&badge(side)));
        assert_eq!(picture.kind, Kind::Png);
        let (image, half) = (image.to_rgba8(), image.width() / 2);
        assert_eq!(image.get_pixel(half, half).0[3], 0);
        assert_eq!(image.get_pixel(1, 1).0, [9, 99, 9, 255]);
    }
}

/// For each orientation of the camera, where the red half must be afterwards.
#[test]
fn a_picture_is_turned_upright_and_loses_its_exif_data() {
    let straight = jpeg(&photo(600, 600));
    let red_at = [(3, (256, 490)), (6, (490, 256)), (8, (20, 256)), (1, (256, 20))];
    for (orientation, (x, y)) in red_at {
        let sent = with_exif(&straight, orientation);
        let (picture, image) = reencoded(Kind::Jpeg, &sent);
        assert!(is_red(*image.to_rgba8().get_pixel(x, y)), "orientation {orientation}");
        assert!(!is_red(*image.to_rgba8().get_pixel(511 - x, 511 - y)), "orientation {orientation}");
        assert!(holds(&sent, b"taken at") && !holds(&picture.content, b"taken at"));
        // A PNG may have its EXIF data before or after its pixels.
        let still = png(&photo(600, 600));
        let exif_data = exif(orientation);
        for sent in [with_chunk(&still, *b"eXIf", &exif_data), with_last_chunk(&still, *b"eXIf", &exif_data)] {
            let (_, image) = reencoded(Kind::Png, &sent);
            assert!(is_red(*image.to_rgba8().get_pixel(x, y)), "orientation {orientation} of PNG");
        }
        assert!(!holds(&picture.content, b"Exif"));
    }
}

#[test]
fn of_two_exif_segments_the_first_turns_the_picture() {
    let straight = jpeg(&photo(600, 600));
    for (first, second, (x, y)) in [(1, 3, (256, 20)), (6, 8, (490, 256))] {
        let (_, image) = reencoded(Kind::Jpeg, &with_exif(&with_exif(&straight, second), first));
        assert!(is_red(*image.to_rgba8().get_pixel(x, y)), "orientations {first} and {second}");
    }
}

fn holds(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

/// A file can be a picture and a page, or a picture and an archive, at once.
#[test]
fn data_other_than_pixels_is_dropped() {
    const SCRIPT: &[u8] = b"<script>alert(1)</script>";
    let (photo, badge) = (photo(40, 40), badge(40));
    let behind = |content: Vec<u8>| [&content[..], SCRIPT].concat();
    let sent = [
        (Kind::Png, with_chunk(&png(&photo), *b"tEXt", &[b"Comment\0", SCRIPT].concat())),
        (Kind::Png, behind(png(&badge))),
        (Kind::Jpeg, behind(jpeg(&photo))),
        (Kind::WebP, behind(webp(&badge))),
    ];
    for (kind, content) in sent {
        assert!(holds(&content, SCRIPT));
        assert!(!holds(&reencoded(kind, &content).0.content, SCRIPT), "{kind:?}");
    }
}

#[test]
fn other_content_and_another_kind_are_refused() {
    let (png, jpeg, webp) = (png(&photo(40, 40)), jpeg(&photo(40, 40)), webp(&photo(40, 40)));
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;".to_vec();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    for (kind, others) in [(Kind::Png, [&jpeg, &webp]), (Kind::Jpeg, [&png, &webp]), (Kind::WebP, [&png, &jpeg])] {
        for content in others.into_iter().chain([&gif, &svg, &Vec::new(), &vec![0; 1000]]) {
            assert_eq!(reencode(kind, content), Err(PictureError::Unreadable), "{kind:?}");
        }
    }
}

#[test]
fn a_truncated_picture_is_refused() {
    let image = photo(300, 300);
    for (kind, whole) in [(Kind::Png, png(&image)), (Kind::Jpeg, jpeg(&image)), (Kind::WebP, webp(&image))] {
        for kept in [whole.len() - 40, whole.len() / 2, 60, 20, 3, 1] {
            assert_eq!(reencode(kind, &whole[..kept]), Err(PictureError::Unreadable), "{kept} bytes of {kind:?}");
        }
    }
    // The preview's end is not the picture's.
    let sent = with_exif(&jpeg(&image), 1);
    let mut preview = sent.clone();
    preview[40..42].copy_from_slice(&[0xff, 0xd9]);
    assert_eq!(reencode(Kind::Jpeg, &preview[..preview.len() - 2]), Err(PictureError::Unreadable));
    reencode(Kind::Jpeg, &preview).unwrap();
}

#[test]
fn an_animated_picture_is_refused() {
    let image = photo(16, 16);
    assert_eq!(reencode(Kind::WebP, &animated_webp(&image, 2)), Err(PictureError::Moving));
    let frames = [2_u32.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    assert_eq!(reencode(Kind::Png, &with_chunk(&png(&image), *b"acTL", &frames)), Err(PictureError::Moving));
}

/// Programs for animations write a still picture this way.
#[test]
fn an_animation_of_one_frame_is_a_still_picture() {
    let control = [16_u32.to_be_bytes(), 16_u32.to_be_bytes(), [0; 4], [0; 4]].concat();
    let control = [&[0; 4][..], &control, &[0, 1, 0, 10, 0, 0]].concat();
    let counted = |frames: u32| [frames.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    let still = with_chunk(&png(&photo(16, 16)), *b"fcTL", &control);
    let (_, image) = reencoded(Kind::Png, &with_chunk(&still, *b"acTL", &counted(1)));
    assert_eq!(size(&image), (16, 16));
    assert_eq!(reencode(Kind::Png, &with_chunk(&still, *b"acTL", &counted(2))), Err(PictureError::Moving));
    let (_, image) = reencoded(Kind::WebP, &animated_webp(&photo(16, 12), 1));
    assert_eq!(size(&image), (12, 12));
    // After the pixels, the count of frames has no meaning.
    reencoded(Kind::Png, &with_last_chunk(&png(&photo(16, 16)), *b"acTL", &counted(2)));
}

/// A few bytes that declare gigabytes of pixels: refused by their header, before memory is allocated.
#[test]
fn a_decompression_bomb_is_refused_before_it_is_decoded() {
    for (width, height) in [(60_000, 60_000), (1, 16_000_001), (4001, 4000), (2_000_000_000, 2_000_000_000)] {
        assert_eq!(reencode(Kind::Png, &png_bomb(width, height)), Err(PictureError::TooLarge), "{width} x {height}");
    }
    let mut jpeg = jpeg(&photo(16, 16));
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    assert_eq!(reencode(Kind::Jpeg, &jpeg), Err(PictureError::TooLarge));
}

#[test]
fn a_picture_with_sixteen_bits_per_channel_is_accepted() {
    let deep = DynamicImage::new_rgba16(3000, 3000);
    let (picture, image) = reencoded(Kind::Png, &encoded(&deep, ImageFormat::Png));
    assert_eq!((picture.kind, size(&image)), (Kind::Png, (512, 512)));
}

#[test]
fn a_white_disc_has_no_gray_edge() {
    let disc = |x: u32, y: u32| {
        let is_inside = x.abs_diff(600).pow(2) + y.abs_diff(600).pow(2) < 500 * 500;
        if is_inside { Rgba([255; 4]) } else { Rgba([0; 4]) }
    };
    let image = DynamicImage::from(RgbaImage::from_fn(1200, 1200, disc));
    for (kind, content) in [(Kind::Png, png(&image)), (Kind::WebP, webp(&image))] {
        let small = reencoded(kind, &content).1.into_rgba8();
        let edges = small.pixels().filter(|pixel| !matches!(pixel.0[3], 0 | 255)).count();
        assert!(edges > 100, "{edges} pixels of an edge");
        assert!(small.pixels().all(|pixel| pixel.0[3] == 0 || pixel.0[..3] == [255; 3]), "{kind:?}");
    }
}
