//! Pictures: a first byte for the kind that it is said to be, then the file.

use api::service::accounts::picture::{Kind, draw};
use image::{GenericImageView, ImageFormat};

/// Pixels a side, at most, of what is kept.
const SIDE: u32 = 512;

/// What is drawn is a square within bounds, opens as what it is said to be, and can be sent in once more.
pub fn run(data: &[u8]) {
    let Some((first, content)) = data.split_first() else { return };
    let kind = Kind::ALL[usize::from(*first) % Kind::ALL.len()];
    let Ok(drawn) = draw(kind, content) else { return };
    let format = if drawn.kind == Kind::Png { ImageFormat::Png } else { ImageFormat::Jpeg };
    assert!(Kind::KEPT.contains(&drawn.kind), "kept as {:?}", drawn.kind);
    let opened = image::load_from_memory_with_format(&drawn.content, format).expect("opens");
    let (width, height) = opened.dimensions();
    assert!(width == height && (1..=SIDE).contains(&width), "{width} × {height}");
    draw(drawn.kind, &drawn.content).expect("what is kept can be sent in");
}
