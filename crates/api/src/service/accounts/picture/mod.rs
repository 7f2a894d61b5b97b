//! Pictures that users upload: decoded within bounds and re-encoded, so that nothing else gets through. What a file contains
//! besides its pixels (where it was taken, another file after the picture, a script) is dropped.

mod colour;
mod jpeg;
mod png;
mod scale;

use auth_types::limits::AVATAR_MAX_PIXELS;
use colour::Colours;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, Limits};
use png::Marks;
use std::io::Cursor;

/// Pixels a side of what is kept.
const SIDE: u32 = 512;
/// JPEG quality: small, without a visible difference at this size.
const QUALITY: u8 = 85;
/// What the pixels of a picture may take in memory, bytes: eight a pixel, which is what four channels of 16 bits take.
const MAX_BYTES: u64 = 8 * AVATAR_MAX_PIXELS;
/// What a PNG's other content may take, bytes.
const SCRATCH_BYTES: u64 = 32 * 1024 * 1024;

/// Maximum length of the bytes that a kind ends with.
pub const MAX_END_LENGTH: usize = 12;

/// A kind of picture that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Png,
    Jpeg,
    WebP,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::WebP];
    /// The kinds that a re-encoded picture may have.
    pub const KEPT: [Self; 2] = [Self::Png, Self::Jpeg];

    /// Whether a file begins like one of this kind.
    pub fn begins(self, bytes: &[u8]) -> bool {
        image::guess_format(bytes).is_ok_and(|format| format.to_mime_type() == self.media_type())
    }

    /// Whether a file that was encoded here ends as one of this kind does.
    pub fn ends(self, bytes: &[u8]) -> bool {
        match self {
            Self::Png => bytes.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"),
            Self::Jpeg => bytes.ends_with(b"\xff\xd9"),
            Self::WebP => false,
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
        }
    }
}

/// Why a picture is not accepted, in words for its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("This is not a picture of the kind that it is said to be, or the file is damaged.")]
    Unreadable,
    #[error("This picture has too many pixels: more than 16 million.")]
    TooLarge,
    #[error("This picture moves. Choose one that does not.")]
    Moving,
}

impl From<ImageError> for PictureError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            _ => Self::Unreadable,
        }
    }
}

/// A re-encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// JPEG, or PNG if part of it is transparent.
    pub kind: Kind,
    pub content: Vec<u8>,
}

/// Re-encodes the middle of a picture as a square of at most 512 pixels a side, upright.
pub fn reencode(kind: Kind, content: &[u8]) -> Result<Picture, PictureError> {
    let file = Cursor::new(content);
    let square = match kind {
        Kind::Png => {
            let mut png = PngDecoder::with_limits(file, scratch())?;
            let marks = Marks::of(content);
            if marks.moves() {
                return Err(PictureError::Moving);
            }
            let exif = marks.exif;
            let colours = Colours { profile: png.icc_profile()?, marks };
            upright_square(png, exif, &colours)
        }
        Kind::Jpeg if jpeg::has_end(content) => {
            let colours = Colours { profile: jpeg::profile(content), ..Colours::default() };
            upright_square(JpegDecoder::new(file)?, jpeg::exif(content), &colours)
        }
        Kind::Jpeg => Err(PictureError::Unreadable),
        Kind::WebP if webp_moves(content) => Err(PictureError::Moving),
        Kind::WebP => {
            let mut webp = WebPDecoder::new(file)?;
            let colours = Colours { profile: webp.icc_profile()?, ..Colours::default() };
            upright_square(webp, None, &colours)
        }
    }?;
    Ok(encode(square)?)
}

/// Whether a file has several frames. Some programs write a still picture as an animation of one frame, and `image` reports only
/// that it is an animation.
fn webp_moves(content: &[u8]) -> bool {
    image_webp::WebPDecoder::new(Cursor::new(content)).is_ok_and(|webp| webp.num_frames() > 1)
}

fn scratch() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(SCRATCH_BYTES);
    limits
}

/// Turns a picture by its Exif data, which the decoder finds if `exif` has none. The declared size is checked before memory is
/// allocated: a few bytes can declare a huge picture.
fn upright_square(
    mut decoder: impl ImageDecoder,
    exif: Option<&[u8]>,
    colours: &Colours<'_>,
) -> Result<DynamicImage, PictureError> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > AVATAR_MAX_PIXELS || decoder.total_bytes() > MAX_BYTES {
        return Err(PictureError::TooLarge);
    }
    let orientation = match exif {
        Some(exif) => Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms),
        None => decoder.orientation()?,
    };
    let image = DynamicImage::from_decoder(decoder)?;
    let small = scale::middle(&image, SIDE);
    let is_gray = !image.color().has_color();
    drop(image); // the largest allocation
    let mut square = DynamicImage::from(colour::to_srgb(small, colours, is_gray));
    square.apply_orientation(orientation);
    Ok(square)
}

fn encode(square: DynamicImage) -> Result<Picture, ImageError> {
    let square = square.into_rgba8();
    let mut content = Vec::new();
    if square.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
        let opaque = DynamicImage::from(square).into_rgb8();
        opaque.write_with_encoder(JpegEncoder::new_with_quality(&mut content, QUALITY))?;
        return Ok(Picture { kind: Kind::Jpeg, content });
    }
    square.write_with_encoder(PngEncoder::new(&mut content))?;
    Ok(Picture { kind: Kind::Png, content })
}
