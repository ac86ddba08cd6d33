//! What surrounds every request: its id and address, limits on its body, headers of every answer, figures, and the one
//! place where a failure becomes a problem document.

pub mod aliases;
pub mod body;
pub mod context;
pub mod edge;
pub mod idempotent;
pub mod line;
pub mod origin;
pub mod patience;
pub mod problem;
pub mod templates;
