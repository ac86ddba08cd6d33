//! The best hits are looked at again, by a model that an operator named for it.

use confab_core::assistant::Switches;
use confab_core::messages::Line;
use confab_protocol::MessageId;

use super::conversations::Conversations;
use super::fusion;
use super::ranking::Asked;
use crate::meaning::{MOST_READ, Turn};

/// A second look at the hits, where there is a model for it.
pub(super) struct Again {
    question: String,
    /// Where no model may read.
    switches: Switches,
    /// `None`: others took all the time.
    turn: Option<Turn>,
}

impl Again {
    pub async fn of(asked: Asked<'_>, question: String) -> Option<Self> {
        let look = asked.meaning.second_look().filter(|_| !asked.switches.is_off)?;
        Some(Self { question, switches: asked.switches.clone(), turn: look.turn().await })
    }

    /// Puts the best hits into the order on which both models agree; false: there was no time.
    pub fn order(self, among: &Conversations, order: &mut Vec<MessageId>) -> bool {
        let Some(turn) = self.turn else { return false };
        let best = order.iter().take(MOST_READ).filter_map(|id| among.place(*id));
        let lines = best.map(|at| &among.lines[at]);
        let lines: Vec<&Line> =
            lines.filter(|line| self.switches.allow(line.channel_id, line.sender_id)).collect();
        let texts: Vec<&str> = lines.iter().map(|line| line.content.as_str()).collect();
        let Some(cosines) = turn.cosines(&self.question, &texts) else { return false };
        let near = lines.iter().zip(cosines).map(|(line, cosine)| (line.id, cosine)).collect();
        *order = fusion::agreed(order, &near);
        true
    }
}
