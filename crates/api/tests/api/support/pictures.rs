//! Pictures as users and attackers send them.

use api::service::accounts::picture::{Kind, Picture, reencode};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use std::io::Cursor;

/// Red above and blue below, both slightly mixed, so that neighbouring pixels differ.
pub fn photo(width: u32, height: u32) -> DynamicImage {
    let colour = |x: u32, y: u32| {
        let shade = u8::try_from((x * 7 + y * 13) % 40).unwrap();
        if y < height / 2 { Rgb([255 - shade, 0, shade]) } else { Rgb([shade, 0, 255 - shade]) }
    };
    RgbImage::from_fn(width, height, colour).into()
}

/// A picture with a transparent middle.
pub fn badge(side: u32) -> DynamicImage {
    let middle = side / 4..side * 3 / 4;
    let colour = |x, y| if middle.contains(&x) && middle.contains(&y) { Rgba([0; 4]) } else { Rgba([9, 99, 9, 255]) };
    RgbaImage::from_fn(side, side, colour).into()
}

pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

pub fn png(image: &DynamicImage) -> Vec<u8> {
    encoded(image, ImageFormat::Png)
}

pub fn jpeg(image: &DynamicImage) -> Vec<u8> {
    encoded(image, ImageFormat::Jpeg)
}

pub fn webp(image: &DynamicImage) -> Vec<u8> {
    encoded(image, ImageFormat::WebP)
}

/// A JPEG with Exif data: the camera's orientation (1 to 8), and the location.
pub fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

/// The same Exif data, as a PNG stores it.
pub fn exif(orientation: u8) -> Vec<u8> {
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [b"II*\0\x08\0\0\0\x01\0".as_slice(), &entry, b"\0\0\0\0", b"taken at 51.5N 0.1W"].concat()
}

/// A PNG with an additional chunk after its pixels.
pub fn with_last_chunk(png: &[u8], name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let (before, end) = png.split_at(png.len() - 12);
    [before, &chunk(name, data), end].concat()
}

/// A PNG with an additional chunk before its pixels.
pub fn with_chunk(png: &[u8], name: [u8; 4], data: &[u8]) -> Vec<u8> {
    const AFTER_HEADER: usize = 8 + 25;
    [&png[..AFTER_HEADER], &chunk(name, data), &png[AFTER_HEADER..]].concat()
}

/// A PNG of a few bytes that claims these dimensions.
pub fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(*b"IHDR", &header), chunk(*b"IDAT", &[0x78, 0x9c]), chunk(*b"IEND", &[])]
        .concat()
}

/// A WebP animation of this many equal frames.
pub fn animated_webp(image: &DynamicImage, frames: usize) -> Vec<u8> {
    let still = webp(image);
    let size = |value: u32| (value - 1).to_le_bytes()[..3].to_vec();
    let (width, height) = (size(image.width()), size(image.height()));
    let canvas = [&[0b10, 0, 0, 0][..], &width, &height].concat();
    let frame = [&[0; 6][..], &width, &height, &[100, 0, 0, 0], &still[12..]].concat();
    let parts = [riff(*b"VP8X", &canvas), riff(*b"ANIM", &[0; 6]), riff(*b"ANMF", &frame).repeat(frames)];
    riff(*b"RIFF", &[b"WEBP".as_slice(), &parts.concat()].concat())
}

fn riff(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let padding = &[0][..data.len() % 2];
    [&name, &u32::try_from(data.len()).unwrap().to_le_bytes()[..], data, padding].concat()
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name, data].concat();
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &named, &crc(&named).to_be_bytes()].concat()
}

/// CRC-32 as PNG uses it (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    })
}

pub fn reencoded(kind: Kind, content: &[u8]) -> (Picture, DynamicImage) {
    let picture = reencode(kind, content).unwrap();
    let format = if picture.kind == Kind::Png { ImageFormat::Png } else { ImageFormat::Jpeg };
    let image = image::load_from_memory_with_format(&picture.content, format).unwrap();
    (picture, image)
}
