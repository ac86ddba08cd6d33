//! Images of a plugin's reactions, on their way into the record: decoded within limits and encoded anew, as all pictures
//! are. They lie beside the plugin's component, so that an update that waits has its own, and stay as long as a plugin or a
//! reaction names them.

use std::collections::BTreeMap;

use confab_core::plugins::parts;
use confab_core::text::hex;
use confab_core::{Db, Fault, Result};
use confab_worker::plugins::MOST_REACTIONS;
use sha2::{Digest, Sha256};

use crate::pictures;

/// Largest file, in bytes (docs/limits.md).
pub const MOST_BYTES: usize = 64 << 10;
/// Most files of a plugin: one for each reaction that it can have.
pub const MOST: usize = MOST_REACTIONS;

/// A file, and what is kept of it.
pub struct Image {
    name: String,
    /// Of the file, which is what a manifest names.
    sha256: String,
    /// Our own encoding.
    picture: Vec<u8>,
}

/// Makes pictures of files, by their names. Blocking: run it where that is allowed.
///
/// # Errors
/// [`Fault::Invalid`] in `images`, which names the file.
pub fn made(files: Vec<(String, Vec<u8>)>) -> Result<Vec<Image>> {
    if files.len() > MOST {
        return Err(Fault::invalid("images", format!("a plugin has at most {MOST}")));
    }
    files.into_iter().map(|(name, bytes)| one(name, &bytes)).collect()
}

fn one(name: String, bytes: &[u8]) -> Result<Image> {
    if bytes.len() > MOST_BYTES {
        return Err(Fault::invalid("images", format!("{name} has more than {} KiB", MOST_BYTES >> 10)));
    }
    let picture = pictures::symbol(bytes).map_err(|fault| match fault {
        Fault::Invalid { message, .. } => Fault::invalid("images", format!("{name} {message}")),
        other => other,
    })?;
    Ok(Image { sha256: hex(&Sha256::digest(bytes)), picture: picture.bytes, name })
}

/// The hashes of the files, by their names.
pub fn hashes(images: &[Image]) -> BTreeMap<String, String> {
    images.iter().map(|it| (it.name.clone(), it.sha256.clone())).collect()
}

/// Puts the pictures into the record. What nobody installs is forgotten after a day.
///
/// # Errors
/// Those of the record.
pub async fn keep(db: &Db, images: &[Image]) -> Result<()> {
    for image in images {
        parts::keep(db, &image.sha256, &image.picture).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use image::ImageFormat;

    use super::*;

    fn file(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let image = image::RgbImage::from_pixel(20, 20, image::Rgb([9, 90, 200]));
        image.write_to(&mut bytes, format).expect("a picture");
        bytes.into_inner()
    }

    #[test]
    fn files_become_pictures_of_ours_under_the_hash_of_the_file() {
        for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            let bytes = file(format);
            let made = made(vec![("star.img".into(), bytes.clone())]).expect("a picture");
            assert_eq!(hashes(&made)["star.img"], hex(&Sha256::digest(&bytes)));
            assert_eq!(pictures::content_type(&made[0].picture), "image/png");
        }
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_refused_by_its_name() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
        for bad in [svg, b"GIF89a".to_vec(), Vec::new(), vec![0; MOST_BYTES + 1]] {
            let refused = made(vec![("star.png".into(), bad)]).err().expect("a refusal");
            assert!(
                matches!(&refused, Fault::Invalid { field: "images", message } if message.starts_with("star.png "))
            );
        }
        let many = (0..=MOST).map(|it| (format!("{it}.png"), file(ImageFormat::Png))).collect();
        assert!(made(many).is_err());
    }

    #[test]
    fn the_bundled_ones_are_as_we_would_encode_them() {
        // The worker puts them into the record as they are.
        let bundled = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/bundled"));
        let mut seen = 0;
        for folder in std::fs::read_dir(bundled).expect("a folder") {
            for file in std::fs::read_dir(folder.expect("a folder").path()).expect("files") {
                let path = file.expect("a file").path();
                if path.extension().is_some_and(|it| it == "wasm" || it == "toml") {
                    continue;
                }
                let bytes = std::fs::read(&path).expect("a file");
                assert!(bytes.len() <= MOST_BYTES, "{}", path.display());
                assert_eq!(pictures::content_type(&bytes), "image/png", "{}", path.display());
                let ours = pictures::symbol(&bytes).expect("a picture");
                let decoded = [&bytes, &ours.bytes].map(|it| image::load_from_memory(it).expect("a picture"));
                assert_eq!(decoded[0].to_rgba8(), decoded[1].to_rgba8(), "{}", path.display());
                seen += 1;
            }
        }
        assert!(seen > 0, "no bundled plugin has an image");
    }
}
