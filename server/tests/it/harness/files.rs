//! Files as people send and fetch them.

use std::path::Path;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::user::{Reply, User, id};

/// Largest upload of the stories about files.
pub const MOST_BYTES: usize = 10 << 20;
/// It, and what one person may keep (30 MiB), as settings.
pub const LIMITS: &[(&str, &str)] =
    &[("CONFAB_UPLOAD_BYTES", "10485760"), ("CONFAB_UPLOAD_QUOTA_BYTES", "31457280")];

const UPLOAD: &str = "/api/v1/files/upload";

/// An answer in bytes.
pub struct Download {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Download {
    /// One header's text, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl User {
    /// A form with one file, byte by byte as given: names that no client library sends are sent too.
    pub fn upload_request(&self, filename: &[u8], bytes: &[u8]) -> RequestBuilder {
        self.form_request(Method::POST, UPLOAD, filename, bytes)
    }

    /// The same elsewhere.
    pub fn form_request(&self, method: Method, path: &str, filename: &[u8], bytes: &[u8]) -> RequestBuilder {
        let mut body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".to_vec();
        body.extend_from_slice(filename);
        body.extend_from_slice(b"\"\r\nContent-Type: image/png\r\n\r\n");
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--x--\r\n");
        self.request(method, path).header("content-type", "multipart/form-data; boundary=x").body(body)
    }

    /// Uploads, whatever is answered.
    pub async fn try_upload(&self, filename: &str, bytes: &[u8]) -> Reply {
        self.fetch(self.upload_request(filename.as_bytes(), bytes)).await
    }

    /// Uploads a file and answers it.
    pub async fn upload(&self, filename: &str, bytes: &[u8]) -> Value {
        let reply = self.try_upload(filename, bytes).await;
        assert_eq!(reply.status, 201, "{}: {filename}: {}", self.name, reply.text);
        reply.body()
    }

    /// Bytes at a path under `/api/v1/files`, with more headers.
    pub async fn fetch_bytes(&self, path: &str, headers: &[(&str, &str)]) -> Download {
        let mut request = self.request(Method::GET, &format!("/api/v1/files/{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Download { status, headers, bytes: response.bytes().await.expect("a body").to_vec() }
    }

    /// A whole file.
    pub async fn download(&self, file: &Value) -> Download {
        let found = self.fetch_bytes(&format!("{}/download", id(file)), &[]).await;
        assert_eq!(found.status, 200, "{}: {}", self.name, String::from_utf8_lossy(&found.bytes));
        found
    }
}

/// Bytes that no two seeds share and that nothing compresses.
pub fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(count + 8);
    bytes.push(0);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// In hex.
pub fn sha256(bytes: &[u8]) -> String {
    confab_core::text::hex(&Sha256::digest(bytes))
}

/// Files anywhere below a folder.
pub fn count_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|entry| if entry.path().is_dir() { count_files(&entry.path()) } else { 1 }).sum()
}
