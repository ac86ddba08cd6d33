//! The binary `confab`: parses the command line and hands over.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// What one thread reads another frees: SQLite's rows, posts, frames. The system's allocator took a fifth of all time for it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    confab_server::cli::main()
}
