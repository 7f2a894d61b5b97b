//! Scaling a picture down.

use image::{DynamicImage, GenericImageView, Rgba, RgbaImage, imageops};

/// The middle of a picture as a square of at most `side` pixels a side.
pub(super) fn middle(image: &DynamicImage, side: u32) -> RgbaImage {
    let (width, height) = image.dimensions();
    let whole = width.min(height);
    let x = (width - whole) / 2;
    let y = (height - whole) / 2;
    if whole <= side {
        return RgbaImage::from_fn(whole, whole, |dx, dy| image.get_pixel(x + dx, y + dy));
    }
    let small = imageops::thumbnail(&Weighted { image, x, y, side: whole }, side, side);
    RgbaImage::from_fn(side, side, |x, y| plain(*small.get_pixel(x, y)))
}

/// A part of a picture in which each colour is weighted by its opacity (premultiplied alpha): otherwise the black that is usually
/// stored for transparent pixels would be mixed into the edges.
struct Weighted<'a> {
    image: &'a DynamicImage,
    x: u32,
    y: u32,
    side: u32,
}

impl GenericImageView for Weighted<'_> {
    type Pixel = Rgba<u16>;

    fn dimensions(&self) -> (u32, u32) {
        (self.side, self.side)
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgba<u16> {
        let Rgba([red, green, blue, alpha]) = self.image.get_pixel(self.x + x, self.y + y);
        let alpha = u16::from(alpha);
        // 255 * 257 is 65535: no sum of two bytes' product overflows, and nothing is lost.
        let weigh = |colour: u8| u16::from(colour) * alpha + (u16::from(colour) * alpha) / 255 * 2;
        Rgba([weigh(red), weigh(green), weigh(blue), alpha * 257])
    }
}

fn plain(Rgba([red, green, blue, alpha]): Rgba<u16>) -> Rgba<u8> {
    let share = |part: u16, of: u16| {
        let rounded = (u32::from(part) * 255 + u32::from(of) / 2).checked_div(u32::from(of)).unwrap_or(0);
        u8::try_from(rounded).unwrap_or(u8::MAX)
    };
    Rgba([share(red, alpha), share(green, alpha), share(blue, alpha), share(alpha, u16::MAX)])
}
