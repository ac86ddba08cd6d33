//! Where the bytes of uploads lie.

use std::path::PathBuf;

use super::Secret;

/// The place that `files_url` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesPlace {
    /// The data folder.
    DataFolder,
    /// Another folder: several servers share it.
    Folder(PathBuf),
    /// An S3-compatible bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// What all keys begin with; may be empty.
        prefix: String,
    },
}

/// How the bucket is reached. What is empty is looked for where AWS's own programs look: the process's environment, web
/// identity, the instance's role.
#[derive(Clone, Debug, Default)]
pub struct BucketAccess {
    /// Such as `eu-central-1`.
    pub region: String,
    /// Of a store that is not Amazon's.
    pub endpoint: String,
    /// Whose key.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// Of temporary keys.
    pub session_token: Secret,
    /// Whether the endpoint may be reached without TLS.
    pub allow_http: bool,
}

pub(super) fn place(url: &str, faults: &mut Vec<String>) -> FilesPlace {
    if url.is_empty() {
        return FilesPlace::DataFolder;
    }
    if let Some(path) = url.strip_prefix("file://").filter(|path| path.starts_with('/')) {
        return FilesPlace::Folder(PathBuf::from(path));
    }
    let bucket = url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    match bucket {
        Some((bucket, prefix))
            if !bucket.is_empty() && is_plain(bucket) && prefix.split('/').all(is_plain) =>
        {
            FilesPlace::Bucket { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() }
        }
        _ => {
            faults.push(format!("files_url must be s3://BUCKET[/PREFIX] or file:///FOLDER, not {url:?}"));
            FilesPlace::DataFolder
        }
    }
}

/// Letters that stand for themselves in a key and in a URL.
fn is_plain(part: &str) -> bool {
    part != ".."
        && part != "."
        && part.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.'))
}

/// Checked only for a bucket: other programs' AWS variables must not keep a server from starting.
pub(super) fn access(
    text: &impl Fn(&str) -> String,
    place: &FilesPlace,
    faults: &mut Vec<String>,
) -> BucketAccess {
    let mut unread = Vec::new();
    let faults = if matches!(place, FilesPlace::Bucket { .. }) { faults } else { &mut unread };
    let allow_http = text("aws_allow_http").to_ascii_lowercase();
    if !["", "true", "false", "1", "0"].contains(&allow_http.as_str()) {
        faults.push(format!("aws_allow_http must be true or false, not {allow_http:?}"));
    }
    let endpoint = text("aws_endpoint_url");
    let allow_http = matches!(allow_http.as_str(), "true" | "1");
    if endpoint.starts_with("http://") && !allow_http {
        faults.push("aws_endpoint_url without TLS needs aws_allow_http (AWS_ALLOW_HTTP=true)".into());
    } else if !endpoint.is_empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        faults.push(format!("aws_endpoint_url must begin with https:// or http://, not {endpoint:?}"));
    }
    BucketAccess {
        region: text("aws_region"),
        endpoint,
        access_key_id: text("aws_access_key_id"),
        secret_access_key: Secret(text("aws_secret_access_key")),
        session_token: Secret(text("aws_session_token")),
        allow_http,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_faults_named() {
        let read = |url: &str| {
            let mut faults = Vec::new();
            let place = place(url, &mut faults);
            if faults.is_empty() { Ok(place) } else { Err(faults) }
        };
        let bucket = |bucket: &str, prefix: &str| FilesPlace::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        assert_eq!(read(""), Ok(FilesPlace::DataFolder));
        assert_eq!(read("file:///srv/files"), Ok(FilesPlace::Folder("/srv/files".into())));
        assert_eq!(read("s3://chat"), Ok(bucket("chat", "")));
        assert_eq!(read("s3://chat/a/b/"), Ok(bucket("chat", "a/b")));
        for bad in ["s3://", "s3:///x", "s3://a b", "s3://chat/../x", "file://x", "http://x", "/srv"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
