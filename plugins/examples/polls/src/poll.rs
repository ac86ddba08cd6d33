//! A poll: what is asked, who voted for what, and how it is shown and written down.

use confab_plugin_sdk::prelude::*;

const MOST_ANSWERS: usize = 10;
const ANSWER_CHARACTERS: usize = 60;
/// Cells of the longest bar.
const CELLS: usize = 12;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    question: String,
    answers: Vec<String>,
    /// The people behind each answer.
    votes: Vec<Vec<String>>,
    /// Who may close it.
    pub asked_by: String,
    /// Their name.
    pub asked_by_name: String,
    takes_several: bool,
    closes: Option<u64>,
    /// Nobody votes any more.
    pub is_closed: bool,
}

/// The answers of a list with commas.
pub fn answers(text: &str) -> Result<Vec<String>, String> {
    let answers: Vec<String> =
        text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if answers.len() < 2 || answers.len() > MOST_ANSWERS {
        return Err(format!("A poll has 2 to {MOST_ANSWERS} answers, with commas between them."));
    }
    if answers.iter().any(|it| it.chars().count() > ANSWER_CHARACTERS) {
        return Err(format!("An answer has at most {ANSWER_CHARACTERS} characters."));
    }
    let mut folded: Vec<String> = answers.iter().map(|it| it.to_lowercase()).collect();
    folded.sort();
    folded.dedup();
    if folded.len() < answers.len() {
        return Err("Two of the answers are the same.".into());
    }
    Ok(answers)
}

impl Poll {
    /// One that nobody has voted in.
    pub fn new(
        question: String,
        answers: Vec<String>,
        by: &User,
        takes_several: bool,
        closes: Option<u64>,
    ) -> Self {
        let votes = vec![Vec::new(); answers.len()];
        let (asked_by, asked_by_name) = (by.id.clone(), by.display_name.clone());
        Self { question, answers, votes, asked_by, asked_by_name, takes_several, closes, is_closed: false }
    }

    /// Votes, or takes the vote back that is there already.
    pub fn vote(&mut self, user: &str, answer: usize) -> Result<(), String> {
        if answer >= self.votes.len() {
            return Err("There is no such answer.".into());
        }
        let had = self.votes[answer].iter().any(|it| it == user);
        for (index, people) in self.votes.iter_mut().enumerate() {
            if index == answer || !self.takes_several {
                people.retain(|it| it != user);
            }
        }
        if !had {
            self.votes[answer].push(user.to_owned());
        }
        Ok(())
    }

    /// As people see it.
    pub fn draft(&self, key: &str) -> Draft {
        let total: usize = self.votes.iter().map(Vec::len).sum();
        let mut text = format!("**{}**\n", self.question.replace('\n', " "));
        for (answer, people) in self.answers.iter().zip(&self.votes) {
            let share = if total == 0 { 0 } else { people.len() * CELLS / total };
            let percent = if total == 0 { 0 } else { people.len() * 100 / total };
            let bar: String = "█".repeat(share) + &"░".repeat(CELLS - share);
            text.push_str(&format!("\n`{bar}` {percent} % · **{}** · {answer}  ", people.len()));
        }
        let people = self.people();
        let votes = if people == 1 { "1 person voted".to_owned() } else { format!("{people} people voted") };
        text.push_str(&format!("\n\n{votes}, asked by {}", self.asked_by_name));
        if self.takes_several {
            text.push_str(", several answers allowed");
        }
        if self.is_closed {
            text.push_str(". **Closed.**");
            return Draft::text(text);
        }
        if let Some(closes) = self.closes {
            text.push_str(&format!(". Closes {}", utc(closes)));
        }
        let mut draft = Draft::text(text);
        for (index, (answer, people)) in self.answers.iter().zip(&self.votes).enumerate() {
            let label = format!("{answer} ({})", people.len());
            draft = draft.button(Button::new("vote", format!("{key} {index}"), label).primary());
        }
        draft.button(Button::new("close", key, "Close the poll"))
    }

    fn people(&self) -> usize {
        let mut people: Vec<&String> = self.votes.iter().flatten().collect();
        people.sort();
        people.dedup();
        people.len()
    }

    /// A line for each value: no text in it has a line break.
    pub fn written(&self) -> String {
        let mut lines = vec![
            self.question.replace('\n', " "),
            self.asked_by.clone(),
            self.asked_by_name.replace('\n', " "),
            format!("{} {} {}", self.takes_several, self.is_closed, self.closes.unwrap_or(0)),
        ];
        for (answer, people) in self.answers.iter().zip(&self.votes) {
            lines.push(answer.replace('\n', " "));
            lines.push(people.join(" "));
        }
        lines.join("\n")
    }

    /// What [`Self::written`] wrote.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split('\n').map(str::to_owned);
        let (question, asked_by, asked_by_name) = (lines.next()?, lines.next()?, lines.next()?);
        let flags = lines.next()?;
        let mut flags = flags.split(' ');
        let (takes_several, is_closed) = (flags.next()? == "true", flags.next()? == "true");
        let closes = flags.next()?.parse().ok().filter(|at| *at > 0);
        let (mut answers, mut votes) = (Vec::new(), Vec::new());
        while let Some(answer) = lines.next() {
            answers.push(answer);
            votes.push(lines.next()?.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect());
        }
        Some(Self { question, answers, votes, asked_by, asked_by_name, takes_several, closes, is_closed })
    }
}

/// A time as people read it: plugins do not know where somebody is, so it says that it is UTC.
fn utc(at: u64) -> String {
    let minutes = at / 60_000;
    let (day, minute) = (minutes / 1440, minutes % 1440);
    let (year, month, date) = civil(day as i64);
    format!("{year}-{month:02}-{date:02} {:02}:{:02} UTC", minute / 60, minute % 60)
}

/// The date of a day since 1970 (Howard Hinnant's algorithm).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(several: bool) -> Poll {
        let ada = User { id: "a".into(), username: "ada".into(), display_name: "Ada".into(), bot: false };
        let answers = answers("tea, coffee").expect("two answers");
        Poll::new("Tea or coffee?".into(), answers, &ada, several, Some(1_700_000_000_000))
    }

    #[test]
    fn a_vote_moves_and_is_taken_back() {
        let mut poll = poll(false);
        poll.vote("b", 0).expect("a vote");
        poll.vote("b", 1).expect("another vote");
        assert_eq!(poll.votes, [Vec::<String>::new(), vec!["b".to_owned()]]);
        poll.vote("b", 1).expect("taken back");
        assert_eq!(poll.people(), 0);
        assert!(poll.vote("b", 2).is_err());
    }

    #[test]
    fn several_answers_where_they_are_allowed() {
        let mut poll = poll(true);
        poll.vote("b", 0).expect("a vote");
        poll.vote("b", 1).expect("another vote");
        assert_eq!((poll.people(), poll.votes[0].len(), poll.votes[1].len()), (1, 1, 1));
    }

    #[test]
    fn what_is_written_is_read() {
        let mut poll = poll(true);
        poll.vote("b", 1).expect("a vote");
        assert_eq!(Poll::read(poll.written().as_bytes()), Some(poll));
    }

    #[test]
    fn lists_that_are_none_are_refused() {
        assert!(answers("tea").is_err());
        assert!(answers("tea, Tea").is_err());
        assert!(answers("a,b,c,d,e,f,g,h,i,j,k").is_err());
        assert_eq!(utc(1_700_000_000_000), "2023-11-14 22:13 UTC");
    }
}
