//! A real S3-compatible server, `moto` from PyPI, with one bucket.

use std::process::Command;

use super::installed::installed;
use super::process::{Ending, Process};

/// One server, gone with this value.
pub struct Bucket {
    process: Process,
    endpoint: String,
}

impl Bucket {
    /// Starts a server and makes the bucket `chat`.
    pub async fn start() -> Self {
        let mut command = Command::new(installed("s3/bin/moto_server", "PyPI package moto[server]"));
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        let mut process = Process::start("moto_server", command, Ending::Kill);
        let line = process.line_with("Running on http://").await;
        let endpoint = line[line.find("http://").expect("the line holds the address")..].trim().to_owned();
        let bucket = Self { process, endpoint };
        let made = reqwest::Client::new().put(format!("{}/chat", bucket.endpoint)).send().await;
        assert!(made.expect("the server answers").status().is_success(), "the bucket was not made");
        bucket
    }

    /// What a server needs to keep its files there.
    pub fn settings(&self) -> [(&'static str, &str); 6] {
        [
            ("CONFAB_FILES_URL", "s3://chat/confab/files"),
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "tests"),
            ("AWS_SECRET_ACCESS_KEY", "not a secret"),
        ]
    }

    /// The keys that it holds.
    pub async fn keys(&self) -> Vec<String> {
        let listed = reqwest::get(format!("{}/chat?list-type=2", self.endpoint)).await;
        let text = listed.expect("the server answers").text().await.expect("a list");
        let keys = text.split("<Key>").skip(1);
        keys.filter_map(|part| part.split_once("</Key>").map(|(key, _)| key.to_owned())).collect()
    }

    /// Lets it fail.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
