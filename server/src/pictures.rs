//! Pictures of people and reactions: decoded within limits, cut to a square or made to fit, encoded anew. Nothing of the file that somebody sent is
//! ever served: neither its metadata nor whatever hides in it.

use std::io::{BufRead, Cursor, Seek};

use confab_core::{Fault, Result};
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// Largest file (docs/limits.md).
pub const MOST_BYTES: u64 = 5 << 20;
/// Pixels on each side of what is kept: sharp at 128 on a dense screen.
pub const SIDE: u32 = 256;
/// Largest file for a reaction.
pub const MOST_SYMBOL_BYTES: u64 = 256 << 10;
/// Pixels on the longer side of what is kept for a reaction: sharp at 32 on a dense screen, and larger alone.
pub const SYMBOL_SIDE: u32 = 128;
const MOST_SYMBOL_PIXELS: u64 = 4_000_000;
/// Largest picture that is decoded: 40 megapixels, as cameras make; more is a decompression bomb.
pub(crate) const MOST_PIXELS: u64 = 40_000_000;
const MOST_SIDE: u32 = 16_384;
/// Decoded, 40 megapixels take 160 MB in eight bits; in sixteen they are twice as much, and refused.
const MOST_MEMORY: u64 = 160 << 20;
/// A photograph in 256 pixels is about 20 KB at this quality.
const JPEG_QUALITY: u8 = 85;

/// A picture that can be served.
pub struct Picture {
    /// PNG where something shows through, JPEG otherwise.
    pub bytes: Vec<u8>,
}

/// Makes a square of [`SIDE`] pixels from a file. Blocking: run it where that is allowed.
///
/// # Errors
/// [`Fault::Invalid`] in `file`.
pub fn square(file: &[u8]) -> Result<Picture> {
    let (image, turned) = decode("file", file, MOST_PIXELS)?;
    let (width, height) = (image.width(), image.height());
    // Cut first: scaled as a whole, a picture of 16,384 × 1 would become one of four million × 256.
    let side = width.min(height);
    let middle = image.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    drop(image);
    let mut small = middle.resize_exact(SIDE, SIDE, FilterType::Triangle);
    small.apply_orientation(turned);
    Ok(Picture { bytes: encoded(&small, JPEG_QUALITY)? })
}

/// Makes a picture that fits into [`SYMBOL_SIDE`] pixels, for a reaction. Blocking: run it where that is allowed.
///
/// # Errors
/// [`Fault::Invalid`] in `image`.
pub fn symbol(file: &[u8]) -> Result<Picture> {
    let (image, turned) = decode("image", file, MOST_SYMBOL_PIXELS)?;
    let fits = image.width() <= SYMBOL_SIDE && image.height() <= SYMBOL_SIDE;
    let mut small = if fits { image } else { image.resize(SYMBOL_SIDE, SYMBOL_SIDE, FilterType::Triangle) };
    small.apply_orientation(turned);
    let mut bytes = Vec::new();
    small.to_rgba8().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).map_err(Fault::internal)?;
    Ok(Picture { bytes })
}

/// Decodes a file within limits: what the bytes say, never the name or the type that was sent along.
fn decode(field: &'static str, file: &[u8], most_pixels: u64) -> Result<(DynamicImage, Orientation)> {
    let unreadable = || unreadable(field);
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| unreadable())?;
    let mut decoder = decoder(field, reader, most_pixels)?;
    let turned = decoder.orientation().map_err(|_| unreadable())?;
    let image = DynamicImage::from_decoder(decoder).map_err(|_| unreadable())?;
    Ok((image, turned))
}

/// What is no picture, or none that we decode.
pub(crate) fn unreadable(field: &'static str) -> Fault {
    Fault::invalid(field, "is no picture that can be read: PNG, JPEG, GIF or WebP")
}

/// What a decoder may take.
pub(crate) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE);
    limits.max_image_height = Some(MOST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

/// A decoder that takes no more than the limits, whatever the picture's header says.
pub(crate) fn decoder<'r>(
    field: &'static str,
    reader: ImageReader<impl BufRead + Seek + 'r>,
    most_pixels: u64,
) -> Result<impl ImageDecoder + 'r> {
    let unreadable = || unreadable(field);
    let format = reader.format().ok_or_else(unreadable)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP) {
        return Err(unreadable());
    }
    let mut decoder = reader.into_decoder().map_err(|_| unreadable())?;
    let (width, height) = decoder.dimensions();
    let too_large = width > MOST_SIDE || height > MOST_SIDE;
    if too_large || u64::from(width) * u64::from(height) > most_pixels {
        let megapixels = most_pixels / 1_000_000;
        let message = format!("has more than {megapixels} megapixels or 16,384 pixels on a side");
        return Err(Fault::invalid(field, message));
    }
    // The decoder's limits hold for its own buffers, not for the one it decodes into.
    if decoder.total_bytes() > MOST_MEMORY {
        return Err(Fault::invalid(field, "takes more than 160 MB when it is decoded"));
    }
    decoder.set_limits(limits()).map_err(|_| unreadable())?;
    Ok(decoder)
}

/// PNG where something shows through, else JPEG at this quality.
pub(crate) fn encoded(image: &DynamicImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let plain = image.to_rgba8();
    let shows_through = plain.pixels().any(|pixel| pixel.0[3] < 255);
    let done = if shows_through {
        plain.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
    } else {
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
        image.to_rgb8().write_with_encoder(encoder)
    };
    done.map_err(Fault::internal)?;
    Ok(bytes)
}

/// The type of a kept picture, from its first bytes.
#[must_use]
pub fn content_type(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, alpha: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = image::RgbaImage::from_pixel(width, height, image::Rgba([200, 30, 30, alpha]));
        image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).expect("a picture");
        bytes
    }

    #[test]
    fn a_picture_becomes_a_square_of_ours() {
        for (alpha, kind) in [(255, "image/jpeg"), (10, "image/png")] {
            let made = square(&png(600, 300, alpha)).expect("a picture");
            assert_eq!(content_type(&made.bytes), kind);
            let read = image::load_from_memory(&made.bytes).expect("a picture");
            assert_eq!((read.width(), read.height()), (SIDE, SIDE));
        }
    }

    #[test]
    fn a_line_of_pixels_is_a_small_picture_too() {
        for (width, height) in [(16_384, 1), (1, 16_384)] {
            let made = square(&png(width, height, 255)).expect("a picture");
            let read = image::load_from_memory(&made.bytes).expect("a picture");
            assert_eq!((read.width(), read.height()), (SIDE, SIDE));
        }
    }

    #[test]
    fn a_symbol_keeps_its_shape() {
        for (size, kept) in [((600, 300), (128, 64)), ((20, 30), (20, 30)), ((16_000, 2), (128, 1))] {
            let made = symbol(&png(size.0, size.1, 255)).expect("a picture");
            assert_eq!(content_type(&made.bytes), "image/png");
            let read = image::load_from_memory(&made.bytes).expect("a picture");
            assert_eq!((read.width(), read.height()), kept);
        }
        assert!(symbol(&png(3_000, 2_000, 255)).is_err(), "six megapixels");
        assert!(symbol(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").is_err());
    }

    #[test]
    fn what_is_no_picture_or_a_bomb_is_refused() {
        let whole = png(64, 64, 255);
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        for bad in [
            &b""[..],
            b"hello",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"GIF89a",
            &whole[..40],
            &damaged,
        ] {
            assert!(matches!(square(bad), Err(Fault::Invalid { .. })), "{} bytes passed", bad.len());
        }
        // A header that says 50,000 × 50,000, with a right checksum, and nothing behind it.
        let mut bomb = whole;
        bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
        let sum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        assert!(matches!(square(&bomb), Err(Fault::Invalid { .. })));
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
            })
        })
    }
}
