//! Pictures among uploads: decoded within limits, turned upright, encoded anew. What is stored holds neither the place
//! where a photograph was taken nor whatever else hides in the file that somebody sent.
//!
//! A GIF keeps its movement within [`MOST_MOVING_PIXELS`]; of everything else that moves, the first picture is kept.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use confab_core::Result;
use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{
    AnimationDecoder, DynamicImage, GenericImageView, ImageDecoder, ImageEncoder, ImageFormat, ImageReader,
    ImageResult,
};

use crate::pictures;
use crate::storage::disk;

/// Whose picture cannot be decoded within this time is told to try again.
pub const WAIT: Duration = Duration::from_secs(20);
/// Pixels on the longer side of a thumbnail.
pub const THUMBNAIL_SIDE: u32 = 480;
/// Of all frames of a GIF together: about ten seconds of work.
const MOST_MOVING_PIXELS: u64 = 100_000_000;
const MOST_FRAMES: u64 = 2_000;
/// Photographs stay photographs: at this quality nobody sees that they were encoded twice.
const JPEG_QUALITY: u8 = 90;
const THUMBNAIL_QUALITY: u8 = 80;
/// The blur is made of so few pixels that the picture's size does not matter.
const BLUR_SIDE: u32 = 64;
/// Colours are quantised at this speed, 1 to 30; a frame of at most 256 colours, as GIFs have, keeps them exactly.
const GIF_SPEED: i32 = 20;

/// A picture that was encoded anew.
pub struct Image {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// See blurha.sh.
    pub blurhash: String,
    /// PNG where something shows through, JPEG otherwise.
    pub thumbnail: Vec<u8>,
}

/// Whether a file of that type may be a picture that we show.
#[must_use]
pub fn is_candidate(file_type: &str) -> bool {
    format_of(file_type).is_some()
}

fn format_of(file_type: &str) -> Option<ImageFormat> {
    Some(match file_type {
        "image/png" => ImageFormat::Png,
        "image/jpeg" => ImageFormat::Jpeg,
        "image/gif" => ImageFormat::Gif,
        "image/webp" => ImageFormat::WebP,
        _ => return None,
    })
}

/// Encodes the picture in `from` anew, in its own format, into `to`. `None`: it cannot be decoded within the limits, and
/// is some bytes and nothing more. Blocking.
///
/// # Errors
/// [`confab_core::Fault::Full`].
pub fn encode_anew(from: &Path, to: &Path, file_type: &str) -> Result<Option<Image>> {
    let Some(format) = format_of(file_type) else { return Ok(None) };
    let Ok((first, profile)) = decode(from, format) else { return Ok(None) };
    let is_moving = format == ImageFormat::Gif && move_on(from, to)?;
    if !is_moving {
        let mut file = BufWriter::new(File::create(to).map_err(disk)?);
        match encode(&first, format, profile, &mut file) {
            Ok(()) => {}
            Err(image::ImageError::IoError(error)) => return Err(disk(error)),
            Err(_) => return Ok(None),
        }
        file.flush().map_err(disk)?;
    }
    let (width, height) = first.dimensions();
    let thumbnail = if width.max(height) > THUMBNAIL_SIDE {
        first.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    } else {
        first
    };
    let blur = thumbnail.thumbnail(BLUR_SIDE, BLUR_SIDE).to_rgba8();
    let blurhash = blurhash::encode(4, 3, blur.width(), blur.height(), blur.as_raw()).unwrap_or_default();
    Ok(Some(Image { width, height, blurhash, thumbnail: pictures::encoded(&thumbnail, THUMBNAIL_QUALITY)? }))
}

/// The first picture, upright, and what its colours mean.
fn decode(from: &Path, format: ImageFormat) -> Result<(DynamicImage, Option<Vec<u8>>)> {
    let file = File::open(from).map_err(disk)?;
    let mut decoder = pictures::decoder(
        "file",
        ImageReader::with_format(BufReader::new(file), format),
        pictures::MOST_PIXELS,
    )?;
    let turned = decoder.orientation().map_err(|_| pictures::unreadable("file"))?;
    let profile = decoder.icc_profile().ok().flatten();
    let mut image = DynamicImage::from_decoder(decoder).map_err(|_| pictures::unreadable("file"))?;
    image.apply_orientation(turned);
    let profile = profile.filter(|profile| fits(profile, &image));
    Ok((image, profile))
}

/// A profile for CMYK says nothing of the RGB that was decoded.
fn fits(profile: &[u8], image: &DynamicImage) -> bool {
    let space = if image.color().has_color() { b"RGB " } else { b"GRAY" };
    profile.get(16..20).is_some_and(|it| it == space)
}

fn encode(
    image: &DynamicImage,
    format: ImageFormat,
    profile: Option<Vec<u8>>,
    to: &mut BufWriter<File>,
) -> ImageResult<()> {
    let profile = profile.unwrap_or_default();
    // An encoder that takes no profile writes none: colours are then read as sRGB.
    match format {
        ImageFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(to, JPEG_QUALITY);
            let _ = encoder.set_icc_profile(profile);
            match image {
                DynamicImage::ImageLuma8(_) => image.write_with_encoder(encoder),
                _ => DynamicImage::from(image.to_rgb8()).write_with_encoder(encoder),
            }
        }
        ImageFormat::Png => {
            let mut encoder = PngEncoder::new(to);
            let _ = encoder.set_icc_profile(profile);
            image.write_with_encoder(encoder)
        }
        ImageFormat::WebP => {
            let mut encoder = WebPEncoder::new_lossless(to);
            let _ = encoder.set_icc_profile(profile);
            if image.color().has_alpha() {
                DynamicImage::from(image.to_rgba8()).write_with_encoder(encoder)
            } else {
                DynamicImage::from(image.to_rgb8()).write_with_encoder(encoder)
            }
        }
        _ => {
            let frame = image::Frame::new(image.to_rgba8());
            GifEncoder::new_with_speed(to, GIF_SPEED).encode_frame(frame)
        }
    }
}

/// Encodes all frames of a GIF; false when it has one, too many, or a bad one.
fn move_on(from: &Path, to: &Path) -> Result<bool> {
    let reader = BufReader::new(File::open(from).map_err(disk)?);
    let Ok(mut decoder) = GifDecoder::new(reader) else { return Ok(false) };
    if decoder.set_limits(pictures::limits()).is_err() {
        return Ok(false);
    }
    let mut file = BufWriter::new(File::create(to).map_err(disk)?);
    let mut encoder = GifEncoder::new_with_speed(&mut file, GIF_SPEED);
    let (mut frames, mut pixels) = (0_u64, 0_u64);
    let _ = encoder.set_repeat(Repeat::Infinite);
    for frame in decoder.into_frames() {
        let Ok(frame) = frame else { return Ok(false) };
        frames += 1;
        pixels += u64::from(frame.buffer().width()) * u64::from(frame.buffer().height());
        if frames > MOST_FRAMES || pixels > MOST_MOVING_PIXELS {
            return Ok(false);
        }
        match encoder.encode_frame(frame) {
            Ok(()) => {}
            Err(image::ImageError::IoError(error)) => return Err(disk(error)),
            Err(_) => return Ok(false),
        }
    }
    drop(encoder);
    file.flush().map_err(disk)?;
    Ok(frames > 1)
}
