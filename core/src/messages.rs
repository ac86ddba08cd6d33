//! Messages: posted, read, edited, deleted.

mod append;
mod change;
mod mentions;
mod page;
mod post;
mod scan;
mod view;

pub use append::NewMessage;
pub use change::{delete, edit, may_change};
pub use page::{Page, Side, conversation, nth_newest, page, thread};
pub use post::{Draft, Posted, import, post};
pub use scan::{all_after, count};
pub use view::{find, readable, views};
