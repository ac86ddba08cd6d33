//! What is measured.

mod fan_out;
mod history;
mod idle_sockets;
mod mixed;
mod plugins;
mod posts;
mod scaled_posts;
mod search;
mod slow_member;
mod start;

use clap::ValueEnum;

use crate::Result;
use crate::stage::Stage;

/// One measurement, in the order of a whole run: what leaves the least behind comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Memory of an idle server and the time until it listens.
    Start,
    /// Acknowledged posts a second on SQLite.
    Posts,
    /// Acknowledged posts a second on PostgreSQL.
    ScaledPosts,
    /// Messages to all members of a channel of 1,000, and of one of 100.
    Fanout,
    /// One member of the channel reads nothing.
    Slow,
    /// Two hundred channels at once.
    Mixed,
    /// Pages of a long channel.
    History,
    /// What plugins cost.
    Plugins,
    /// Search and answers over a million messages.
    Search,
    /// Ten thousand sockets that do nothing.
    Idle,
}

impl Scenario {
    /// The word on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |it| it.get_name().to_owned())
    }

    /// Measures and reports.
    pub async fn measure(self, stage: &mut Stage) -> Result<()> {
        match self {
            Self::Start => start::measure(stage).await,
            Self::Posts => posts::measure(stage).await,
            Self::ScaledPosts => scaled_posts::measure(stage).await,
            Self::Fanout => fan_out::measure(stage).await,
            Self::Slow => slow_member::measure(stage).await,
            Self::Mixed => mixed::measure(stage).await,
            Self::History => history::measure(stage).await,
            Self::Plugins => plugins::measure(stage).await,
            Self::Search => search::measure(stage).await,
            Self::Idle => idle_sockets::measure(stage).await,
        }
    }
}
