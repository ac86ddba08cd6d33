//! Messages: posted, read, edited, deleted.

mod append;
mod change;
mod mentions;
mod page;
mod post;
mod previews;
mod render;
mod scan;
mod view;

pub use append::NewMessage;
pub use change::{delete, edit, may_change};
pub use page::{Page, Side, conversation, page, thread};
pub use post::{Draft, Posted, import, post};
pub use previews::{LINKS, claim_links, keep_previews};
pub use render::render_waiting;
pub use scan::{all_after, count};
pub use view::{find, readable, unrendered, views};
