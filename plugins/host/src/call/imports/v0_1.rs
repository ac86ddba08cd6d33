//! Version 0.1.

super::common!(crate::bindings::v0_1, {});
