//! Messages: posted, read, edited, deleted.

pub mod activity;
mod append;
mod beside;
mod change;
mod erase;
mod forward;
mod history;
mod lines;
mod mentions;
mod page;
mod post;
mod previews;
mod render;
mod scan;
mod together;
mod view;

pub use append::NewMessage;
pub use change::{delete, draw, edit, may_change, redraw};
pub(crate) use erase::expire;
pub use history::{Version, history};
pub use lines::{Line, around};
pub use page::{Page, Replies, Side, conversation, nth_newest, page, replies, thread};
pub use post::{Draft, Posted, by_nonce, import, post};
pub(crate) use post::{post_beside_draft, root_of};
pub use previews::{LINKS, claim_links, keep_previews};
pub use render::render_waiting;
pub(crate) use render::rendered;
pub use scan::{all_after, count};
pub use together::send;
pub(crate) use together::{Plain, Standing, post_together};
pub(crate) use view::hold;
pub use view::{Door, door, door_for_bot, find, readable, shown, unrendered, views};
