//! Pictures among files: encoded anew, upright, without what their files said besides.

use std::io::Cursor;

use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::{AnimationDecoder, DynamicImage, Frame, GenericImageView, ImageFormat, Rgba, RgbaImage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::everywhere;
use crate::harness::user::id;

/// What must not come out again.
const CANARY: &[u8] = b"canary-4711-geo";

everywhere! {
    async fn a_picture_is_shown_small_and_large(world) {
        let (ada, bob) = (world.user("ada").await, world.user("bob").await);
        let channel = ada.create_channel("vault", "private", 201).await;
        let sent = with_chunk(&png(1_000, 500));
        assert!(holds(&sent, CANARY));
        let file = ada.upload("sea.png", &sent).await;
        assert_eq!((&file["file_type"], &file["width"], &file["height"]), (&json!("image/png"), &json!(1_000), &json!(500)));
        assert!(file["blurhash"].as_str().is_some_and(|it| it.len() > 10), "{file}");
        assert_eq!(file["thumbnail_url"], format!("/api/v1/files/{}/thumbnail", id(&file)));
        let posted = ada.post_form(id(&channel), &json!({ "content": "sea", "file_ids": [file["id"]] }), 201).await;
        assert_eq!(posted["files"][0]["blurhash"], file["blurhash"]);

        let small = ada.fetch_bytes(&format!("{}/thumbnail", id(&file)), &[]).await;
        assert_eq!((small.status, small.header("content-type")), (200, "image/jpeg"));
        assert_eq!(image::load_from_memory(&small.bytes).unwrap().dimensions(), (480, 240));
        assert!(small.header("content-security-policy").starts_with("sandbox"));
        let tag = small.header("etag").to_owned();
        let known = ada.fetch_bytes(&format!("{}/thumbnail", id(&file)), &[("if-none-match", &tag)]).await;
        assert_eq!(known.status, 304);
        for (path, disposition) in [("download", "attachment"), ("download?inline=1", "inline")] {
            let whole = ada.fetch_bytes(&format!("{}/{path}", id(&file)), &[]).await;
            assert_eq!((whole.status, whole.header("content-type")), (200, "image/png"));
            assert!(whole.header("content-disposition").starts_with(disposition), "{path}");
            assert!(!holds(&whole.bytes, CANARY), "the file's own words came out again");
            assert_eq!(whole.bytes.len(), file["file_size"].as_u64().unwrap() as usize);
            assert_eq!(image::load_from_memory(&whole.bytes).unwrap().dimensions(), (1_000, 500));
        }
        for path in ["thumbnail", "download?inline=1"] {
            assert_eq!(bob.fetch_bytes(&format!("{}/{path}", id(&file)), &[]).await.status, 404);
        }
        ada.send(Method::DELETE, &format!("/api/v1/files/{}", id(&file)), None, 204).await;
        assert_eq!(ada.fetch_bytes(&format!("{}/thumbnail", id(&file)), &[]).await.status, 410);
    }
}

crate::harness::both! {
    async fn a_photograph_forgets_where_it_was_taken(world) {
        let ada = world.user("ada").await;
        let sent = photograph();
        assert!(holds(&sent, b"Exif") && holds(&sent, CANARY));
        let file = ada.upload("holiday.jpg", &sent).await;
        assert_eq!(file["file_type"], "image/jpeg");
        // It was held upright: the file says to turn it.
        assert_eq!((&file["width"], &file["height"]), (&json!(200), &json!(300)));
        let found = ada.download(&file).await;
        assert!(!holds(&found.bytes, b"Exif") && !holds(&found.bytes, CANARY), "the place came out again");
        let shown = image::load_from_memory(&found.bytes).unwrap();
        assert_eq!(shown.dimensions(), (200, 300));
        let corner = shown.get_pixel(190, 10);
        assert!(corner[0] > 150 && corner[2] < 100, "the red corner is at the top right now: {corner:?}");
        let small = ada.fetch_bytes(&format!("{}/thumbnail", id(&file)), &[]).await;
        assert!(small.status == 200 && !holds(&small.bytes, CANARY));
    }

    async fn every_format_stays_what_it_is(world) {
        let ada = world.user("ada").await;
        let clear = DynamicImage::from(RgbaImage::from_pixel(600, 300, Rgba([9, 120, 200, 90])));
        for (format, kind, small) in [
            (ImageFormat::Png, "image/png", "image/png"),
            (ImageFormat::WebP, "image/webp", "image/png"),
            (ImageFormat::Jpeg, "image/jpeg", "image/jpeg"),
        ] {
            let mut bytes = Cursor::new(Vec::new());
            let picture = if format == ImageFormat::Jpeg { clear.to_rgb8().into() } else { clear.clone() };
            picture.write_to(&mut bytes, format).unwrap();
            let file = ada.upload("picture", &bytes.into_inner()).await;
            assert_eq!((&file["file_type"], &file["width"]), (&json!(kind), &json!(600)));
            assert_eq!(image::guess_format(&ada.download(&file).await.bytes).unwrap(), format);
            let found = ada.fetch_bytes(&format!("{}/thumbnail", id(&file)), &[]).await;
            assert_eq!((found.status, found.header("content-type")), (200, small), "{kind}");
        }
        // What moves goes on moving, and what was hidden in its file is gone.
        let mut sent = moving(5);
        sent.extend_from_slice(CANARY);
        let file = ada.upload("wave.gif", &sent).await;
        assert_eq!((&file["file_type"], &file["width"], &file["height"]), (&json!("image/gif"), &json!(60), &json!(40)));
        let found = ada.download(&file).await;
        assert!(!holds(&found.bytes, CANARY));
        let frames = GifDecoder::new(Cursor::new(&found.bytes)).unwrap().into_frames().collect_frames().unwrap();
        assert_eq!(frames.len(), 5);
        assert_eq!(frames[2].buffer().get_pixel(5, 5), &Rgba([120, 10, 60, 255]));
        assert_eq!(ada.fetch_bytes(&format!("{}/thumbnail", id(&file)), &[]).await.status, 200);
    }

    async fn what_cannot_be_decoded_is_some_bytes(world) {
        let ada = world.user("ada").await;
        let whole = png(64, 64);
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        let mut bomb = whole.clone();
        bomb[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
        let sum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&sum.to_be_bytes());
        let wide = wide_gif();
        for (name, bytes) in [
            ("a bad checksum", &damaged),
            ("50,000 × 50,000", &bomb),
            ("cut off", &whole[..60].to_vec()),
            ("a GIF of 60,000 × 60,000", &wide),
            ("a script behind a GIF's name", &b"GIF89a/*\0\0\0\0\0*/=1;alert(1)".to_vec()),
        ] {
            let file = ada.upload("picture.png", bytes).await;
            assert_eq!(file["file_type"], "application/octet-stream", "{name}");
            assert_eq!((&file["width"], &file["blurhash"], &file["thumbnail_url"]), (&Value::Null, &Value::Null, &Value::Null));
            let found = ada.fetch_bytes(&format!("{}/download?inline=1", id(&file)), &[]).await;
            assert_eq!((found.status, &found.bytes), (200, bytes), "{name}");
            assert!(found.header("content-disposition").starts_with("attachment"), "{name}");
            ada.get(&format!("/api/v1/files/{}/thumbnail", id(&file)), 404).await;
        }
    }
}

/// A PNG of one colour.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([30, 120, 90]));
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|it| it == part)
}

/// The same picture with words of its own in it.
fn with_chunk(png: &[u8]) -> Vec<u8> {
    let mut chunk = b"tEXt".to_vec();
    chunk.extend_from_slice(b"Comment\0");
    chunk.extend_from_slice(CANARY);
    let sum = crc(&chunk);
    let mut bytes = png[..33].to_vec();
    bytes.extend_from_slice(&(chunk.len() as u32 - 4).to_be_bytes());
    bytes.extend_from_slice(&chunk);
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes.extend_from_slice(&png[33..]);
    bytes
}

/// 300 × 200 with a red corner at the top left, to be turned by a quarter to the right, taken somewhere.
fn photograph() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(300, 200, |x, y| {
        if x < 40 && y < 40 { image::Rgb([230, 20, 20]) } else { image::Rgb([20, 40, 220]) }
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    let jpeg = bytes.into_inner();
    // TIFF, big-endian: orientation 6, and a directory of a place whose text is the canary.
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    tiff.extend_from_slice(&[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
    tiff.extend_from_slice(&[0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38]);
    tiff.extend_from_slice(&[0, 0, 0, 0]);
    tiff.extend_from_slice(&[0, 1, 0, 0x1b, 0, 2, 0, 0, 0, CANARY.len() as u8, 0, 0, 0, 56, 0, 0, 0, 0]);
    tiff.extend_from_slice(CANARY);
    let mut whole = jpeg[..2].to_vec();
    whole.extend_from_slice(&[0xff, 0xe1]);
    whole.extend_from_slice(&(tiff.len() as u16 + 8).to_be_bytes());
    whole.extend_from_slice(b"Exif\0\0");
    whole.extend_from_slice(&tiff);
    whole.extend_from_slice(&jpeg[2..]);
    whole
}

fn moving(frames: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    {
        let mut encoder = GifEncoder::new(&mut bytes);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        for number in 0..frames {
            let picture = RgbaImage::from_pixel(60, 40, Rgba([number * 60, 10, 60, 255]));
            encoder.encode_frame(Frame::new(picture)).unwrap();
        }
    }
    bytes
}

/// Says that it is 60,000 × 60,000.
fn wide_gif() -> Vec<u8> {
    let mut bytes = moving(2);
    bytes[6..10].copy_from_slice(&[0x60, 0xea, 0x60, 0xea]);
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| {
                if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
            },
        )
    })
}
