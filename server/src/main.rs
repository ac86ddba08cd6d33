//! The binary `confab`: parses the command line and hands over.

use std::process::ExitCode;

fn main() -> ExitCode {
    confab_server::cli::main()
}
