//! A language model that nobody here wrote: the npm package `@dwmkerr/mock-llm`, which says what `tests/model/rules.yaml` tells it.

use std::net::TcpListener;
use std::process::Command;

use super::installed::installed;
use super::process::{Ending, Process};
use super::wait::wait_for;

/// One server, gone with this value.
pub struct MockLlm {
    _process: Process,
    url: String,
}

impl MockLlm {
    /// Starts it on a free port, and on another one where somebody was faster.
    pub async fn start() -> Self {
        loop {
            let (mut process, url) = Self::launch();
            let listens = wait_for("mock-llm to listen or to end", async || {
                let listens = process.find("server running on").is_some();
                (listens || process.exited().is_some()).then_some(listens)
            });
            if listens.await {
                return Self { _process: process, url };
            }
            assert!(process.output().contains("EADDRINUSE"), "mock-llm: {}", process.output());
        }
    }

    fn launch() -> (Process, String) {
        let program = "model/node_modules/@dwmkerr/mock-llm/dist/main.js";
        let program = installed(program, "npm package @dwmkerr/mock-llm");
        // It says only what it was told to listen on, so the port must be known before.
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
        let mut command = Command::new("node");
        command
            .arg(program)
            .args(["--config", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model/rules.yaml")])
            .env("HOST", "127.0.0.1")
            .env("PORT", port.to_string())
            .env_remove("NODE_OPTIONS");
        (Process::start("mock-llm", command, Ending::Kill), format!("http://127.0.0.1:{port}/v1"))
    }

    /// The settings of a server that asks it.
    pub fn settings(&self) -> [(&str, &str); 2] {
        [("CONFAB_LLM_BASE_URL", self.url.as_str()), ("CONFAB_LLM_MODEL", "mock-llm")]
    }
}
