//! The real programs, started on free ports with their own temporary folders, and the people who use them.

pub mod command;
pub mod installed;
pub mod nats;
pub mod node;
pub mod oidc;
pub mod postgres;
pub mod process;
pub mod push_service;
pub mod shown;
pub mod smtp;
pub mod socket;
pub mod user;
pub mod wait;
pub mod world;

pub use command::confab;
pub use node::Node;
pub use shown::shown;
pub use socket::Socket;
pub use user::User;
pub use wait::{wait_for, wait_until};
pub use world::World;

/// Tells one story twice: `story::embedded` and `story::scaled`, so that no behaviour exists in one mode only.
macro_rules! both {
    ($($(#[$note:meta])* async fn $story:ident($world:ident) $body:block)+) => { $(
        $(#[$note])*
        mod $story {
            #[allow(unused_imports)]
            use super::*;

            async fn story(mut world: $crate::harness::World) {
                #[allow(unused_variables)]
                let $world = &mut world;
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                story($crate::harness::World::embedded().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled() {
                story($crate::harness::World::scaled().await).await;
            }
        }
    )+ };
}
pub(crate) use both;
