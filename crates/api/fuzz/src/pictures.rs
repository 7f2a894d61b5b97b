//! Pictures: a first byte for the declared kind, then the file.

use api::service::accounts::picture::{Kind, reencode};
use image::{GenericImageView, ImageFormat};

/// The maximum side of a stored picture, in pixels.
const SIDE: u32 = 512;

/// A re-encoded picture is a square within bounds, opens as its declared kind, and can be uploaded again.
pub fn run(data: &[u8]) {
    let Some((first, content)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(*first) % Kind::ALL.len()];
    let Ok(reencoded) = reencode(kind, content) else { return };
    let format = if reencoded.kind == Kind::Png { ImageFormat::Png } else { ImageFormat::Jpeg };
    assert!(Kind::KEPT.contains(&reencoded.kind), "stored as {:?}", reencoded.kind);
    let opened = image::load_from_memory_with_format(&reencoded.content, format).expect("opens");
    let (width, height) = opened.dimensions();
    assert!(width == height && (1..=SIDE).contains(&width), "{width} × {height}");
    reencode(reencoded.kind, &reencoded.content).expect("a stored picture can be uploaded again");
}
