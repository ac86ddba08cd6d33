//! Renders, little by little, what an import brought and what is older than rendering itself.

use std::time::Duration;

use confab_core::{Db, messages};
use tokio_util::sync::CancellationToken;

/// Messages of one transaction.
const BATCH: u32 = 200;
/// Between two batches, so that whoever writes finds room.
const PAUSE: Duration = Duration::from_millis(20);
/// When none is left. Asking costs a look at an empty index.
const REST: Duration = Duration::from_mins(1);

/// Works until `stop`. There is no position to keep: what waits is found by its state.
pub async fn keep_up(db: Db, stop: CancellationToken) {
    let mut pause = PAUSE;
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        pause = match messages::render_waiting(&db, BATCH).await {
            Ok(found) if found == BATCH as usize => PAUSE,
            Ok(_) => REST,
            Err(fault) => {
                tracing::debug!(%fault, "old messages wait to be rendered");
                REST
            }
        };
    }
}
