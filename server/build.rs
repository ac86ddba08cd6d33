//! How the program is linked.

use std::env;
use std::process::Command;

/// The first version of glibc that starts a program with packed relocations.
const PACKED_SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CONFAB_PLAIN_RELOCATIONS");
    // Addresses to relocate take a bit each in place of 24 bytes (DT_RELR): 6 MB less to read at each start, which would then
    // stay in memory. Such a program does not start where glibc is older, so whoever builds for others can leave it out.
    let is_for_here =
        env::var("HOST").is_ok_and(|host| env::var("TARGET").is_ok_and(|target| host == target));
    let is_plain = env::var_os("CONFAB_PLAIN_RELOCATIONS").is_some();
    if is_for_here && !is_plain && glibc().is_some_and(|version| version >= PACKED_SINCE) {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's glibc; of another C library there is none.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
