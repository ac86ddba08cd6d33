//! The real programs, started on free ports with their own temporary folders, and the people who use them.

pub mod bucket;
pub mod closed_port;
pub mod command;
pub mod events;
pub mod files;
pub mod installed;
pub mod line;
pub mod mock_llm;
pub mod model;
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

pub use bucket::Bucket;
pub use closed_port::closed_port;
pub use command::confab;
pub use events::Events;
pub use mock_llm::MockLlm;
pub use model::{Does, Model};
pub use node::Node;
pub use shown::shown;
pub use socket::Socket;
pub use user::User;
pub use wait::{next_millisecond, past_midnight, wait_for, wait_until};
pub use world::World;

/// Tells one story twice: `story::embedded` and `story::scaled`, so that no behaviour exists in one mode only.
macro_rules! both {
    ($($(#[$note:meta])* async fn $story:ident($world:ident) $body:block)+) => {
        $crate::harness::limited! { $($(#[$note])* async fn $story($world) with [] $body)+ }
    };
}
pub(crate) use both;

/// The same, with these settings.
macro_rules! limited {
    ($($(#[$note:meta])* async fn $story:ident($world:ident) with $settings:tt $body:block)+) => { $(
        $(#[$note])*
        mod $story {
            #[allow(unused_imports)]
            use super::*;

            const SETTINGS: &[(&str, &str)] = &$settings;

            async fn story(mut world: $crate::harness::World) {
                #[allow(unused_variables)]
                let $world = &mut world;
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                story($crate::harness::World::embedded_with(SETTINGS).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled() {
                story($crate::harness::World::scaled_with(SETTINGS).await).await;
            }
        }
    )+ };
}
pub(crate) use limited;

/// Tells one story four times: on a folder and on a bucket, in both modes. Uploads have at most 10 MiB, people 30 MiB.
macro_rules! everywhere {
    ($(async fn $story:ident($world:ident) $body:block)+) => { $(
        mod $story {
            #[allow(unused_imports)]
            use super::*;
            use $crate::harness::{Bucket, World, files::LIMITS};

            async fn story(mut world: World) {
                #[allow(unused_variables)]
                let $world = &mut world;
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                story(World::embedded_with(LIMITS).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled() {
                story(World::scaled_with(LIMITS).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded_on_a_bucket() {
                let bucket = Bucket::start().await;
                story(World::embedded_with(&[LIMITS, &bucket.settings()].concat()).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled_on_a_bucket() {
                let bucket = Bucket::start().await;
                story(World::scaled_with(&[LIMITS, &bucket.settings()].concat()).await).await;
            }
        }
    )+ };
}
pub(crate) use everywhere;

/// Tells one story of files on a folder only, in both modes, with the same limits.
macro_rules! on_a_folder {
    ($(async fn $story:ident($world:ident) $body:block)+) => { $(
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
                story($crate::harness::World::embedded_with($crate::harness::files::LIMITS).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn scaled() {
                story($crate::harness::World::scaled_with($crate::harness::files::LIMITS).await).await;
            }
        }
    )+ };
}
pub(crate) use on_a_folder;
