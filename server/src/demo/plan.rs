//! What is to be made, from a seed alone: nothing here knows the record or the time.

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};

use super::Options;
use super::words::{BUILDS, CHANNELS, FIRST_NAMES, LAST_NAMES, MARKS, REACTIONS, SCENES, Scene};

/// One in so many conversations is only the bot's; one in so many messages carries a file, or has reactions.
const BOT_ONE_IN: u32 = 10;
const FILE_ONE_IN: u32 = 45;
const REACTED_ONE_IN: u32 = 7;
/// Seconds between two lines of one conversation.
const PAUSE_SECONDS: std::ops::Range<f64> = 15.0..400.0;

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub username: String,
    pub full_name: String,
    pub is_bot: bool,
}

/// Somewhere to talk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub kind: PlaceKind,
    /// By their number in the plan. The first one makes the place.
    pub members: Vec<usize>,
    /// How many messages it gets.
    pub messages: usize,
    /// Of its own, so that places can be written in any order.
    seed: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum PlaceKind {
    Channel { name: String, description: String, is_private: bool },
    Direct,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub sender: usize,
    pub text: String,
    pub mentions: Vec<usize>,
    /// The number of the line that it answers in a thread.
    pub answers: Option<usize>,
    /// Who put which reaction.
    pub reactions: Vec<(usize, &'static str)>,
    pub attachment: Option<Attachment>,
    /// From 0 to 1: how far in the whole time it lies.
    pub at: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attachment {
    pub filename: String,
    pub bytes: Vec<u8>,
}

/// The people of a seed.
pub(super) fn people(options: &Options) -> Vec<Person> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let mut pairs: Vec<(usize, usize)> = (0..FIRST_NAMES.len())
        .flat_map(|first| (0..LAST_NAMES.len()).map(move |last| (first, last)))
        .collect();
    pairs.shuffle(&mut rng);
    let mut people: Vec<Person> = Vec::with_capacity(options.users);
    let mut taken = std::collections::HashSet::new();
    for number in 0..options.users {
        if number + 1 == options.users && options.users >= 5 {
            let full_name = "Build Bot".into();
            people.push(Person { username: "buildbot".into(), full_name, is_bot: true });
            break;
        }
        let (first, last) = pairs[number % pairs.len()];
        let (first, last) = (FIRST_NAMES[first], LAST_NAMES[last]);
        let short = first.to_lowercase();
        let long = format!("{short}.{}", last.to_lowercase());
        let username = [short, long.clone()]
            .into_iter()
            .find(|name| !taken.contains(name))
            .unwrap_or_else(|| format!("{long}{number}"));
        taken.insert(username.clone());
        people.push(Person { username, full_name: format!("{first} {last}"), is_bot: false });
    }
    people
}

/// The places of a seed, with all messages shared out among them.
pub(super) fn places(options: &Options, people: &[Person]) -> Vec<Place> {
    let mut rng = StdRng::seed_from_u64(options.seed ^ 0x00C0_FFAB);
    let persons: Vec<usize> = (0..people.len()).filter(|number| !people[*number].is_bot).collect();
    let mut places = Vec::new();
    for number in 0..options.channels {
        let (name, description, is_private) = CHANNELS[number % CHANNELS.len()];
        let name = if number < CHANNELS.len() {
            name.into()
        } else {
            format!("{name}-{}", number / CHANNELS.len() + 1)
        };
        let share = if is_private { 0.2..0.5 } else { 0.5..1.0 };
        let count = (persons.len() as f64 * rng.random_range(share)).ceil() as usize;
        let mut members: Vec<usize> = persons.choose_multiple(&mut rng, count.max(2)).copied().collect();
        if !is_private {
            members.extend((0..people.len()).filter(|number| people[*number].is_bot));
        }
        let kind = PlaceKind::Channel { name, description: description.into(), is_private };
        places.push(Place { kind, members, messages: 0, seed: rng.random() });
    }
    let mut met = std::collections::HashSet::new();
    for _ in 0..persons.len() / 2 {
        let size = if rng.random_ratio(1, 5) { 3 } else { 2 };
        let members: Vec<usize> = persons.choose_multiple(&mut rng, size).copied().collect();
        let mut same = members.clone();
        same.sort_unstable();
        if members.len() >= 2 && met.insert(same) {
            places.push(Place { kind: PlaceKind::Direct, members, messages: 0, seed: rng.random() });
        }
    }
    share_out(options, &mut places, &mut rng);
    places
}

/// Some places are busier than others.
fn share_out(options: &Options, places: &mut [Place], rng: &mut StdRng) {
    let weights: Vec<f64> = places
        .iter()
        .enumerate()
        .map(|(number, place)| match place.kind {
            PlaceKind::Channel { .. } => 4.0 / (number as f64 + 2.0).sqrt(),
            PlaceKind::Direct => 0.3,
        })
        .collect();
    let Ok(choice) = rand::distr::weighted::WeightedIndex::new(&weights) else { return };
    for _ in 0..options.messages {
        places[rng.sample(&choice)].messages += 1;
    }
}

/// What is said in a place, in order.
pub(super) fn lines(place: &Place, people: &[Person]) -> Vec<Line> {
    let mut rng = StdRng::seed_from_u64(place.seed);
    let bot = place.members.iter().copied().find(|member| people[*member].is_bot);
    let persons: Vec<usize> =
        place.members.iter().copied().filter(|member| !people[*member].is_bot).collect();
    let mut lines: Vec<Line> = Vec::with_capacity(place.messages);
    // Drawn like cards: nobody tells the same story twice in a row.
    let mut deck: Vec<&Scene> = Vec::new();
    // Pauses within conversations are short, those between them fill the time.
    let mut pauses: Vec<(f64, bool)> = Vec::with_capacity(place.messages);
    while lines.len() < place.messages {
        pauses.push((rng.random_range(0.2..3.0), true));
        if let Some(bot) = bot.filter(|_| rng.random_ratio(1, BOT_ONE_IN)) {
            let (text, _) =
                filled(&[BUILDS.choose(&mut rng).copied().unwrap_or_default()], &[], people, &mut rng)
                    .remove(0);
            lines.push(line(bot, text));
            continue;
        }
        if deck.is_empty() {
            deck = SCENES.iter().collect();
            deck.shuffle(&mut rng);
        }
        let Some(scene) = deck.pop() else { break };
        play(scene, place, &persons, people, &mut lines, &mut rng);
        while pauses.len() < lines.len() {
            pauses.push((rng.random_range(PAUSE_SECONDS), false));
        }
    }
    lines.truncate(place.messages);
    pauses.truncate(place.messages);
    spread(&mut lines, &pauses);
    for line in &mut lines {
        decorate(line, &persons, &mut rng);
    }
    lines
}

fn line(sender: usize, text: String) -> Line {
    Line {
        sender,
        text,
        mentions: Vec::new(),
        answers: None,
        reactions: Vec::new(),
        attachment: None,
        at: 0.0,
    }
}

fn play(
    scene: &Scene,
    place: &Place,
    persons: &[usize],
    people: &[Person],
    lines: &mut Vec<Line>,
    rng: &mut StdRng,
) {
    let mut cast: Vec<usize> = persons.choose_multiple(rng, 3).copied().collect();
    while let Some(last) = cast.last().copied().filter(|_| cast.len() < 3) {
        cast.push(last);
    }
    let first = lines.len();
    let is_thread =
        matches!(place.kind, PlaceKind::Channel { .. }) && scene.lines.len() > 2 && rng.random_ratio(2, 5);
    let texts: Vec<&str> = scene.lines.iter().map(|(_, text)| *text).collect();
    let filled = filled(&texts, &cast, people, rng);
    for ((role, _), (text, mentions)) in scene.lines.iter().zip(filled) {
        let mut line = line(cast.get(*role).copied().unwrap_or_default(), text);
        line.mentions = mentions;
        line.answers = (is_thread && lines.len() > first).then_some(first);
        lines.push(line);
    }
}

/// The texts of a scene with their marks filled, and whom each mentions.
fn filled(texts: &[&str], cast: &[usize], people: &[Person], rng: &mut StdRng) -> Vec<(String, Vec<usize>)> {
    let meant: Vec<(&str, &str)> =
        MARKS.iter().map(|(mark, words)| (*mark, words.choose(rng).copied().unwrap_or_default())).collect();
    texts
        .iter()
        .map(|text| {
            let mut text = (*text).to_owned();
            let mut mentions = Vec::new();
            for (role, person) in cast.iter().enumerate() {
                let mark = format!("{{{role}}}");
                if text.contains(&mark) {
                    text = text.replace(&mark, &people[*person].username);
                    mentions.push(*person);
                }
            }
            for (mark, word) in &meant {
                text = text.replace(mark, word);
            }
            (text, mentions)
        })
        .collect()
}

/// Gives each line its place in time: the short pauses as they are when they fit into thirty days, the long ones what
/// is left.
fn spread(lines: &mut [Line], pauses: &[(f64, bool)]) {
    let whole = super::SPAN.as_secs_f64();
    let short: f64 = pauses.iter().filter(|it| !it.1).map(|it| it.0).sum();
    let long: f64 = pauses.iter().filter(|it| it.1).map(|it| it.0).sum();
    let shrunk = if short > whole * 0.8 { whole * 0.8 / short } else { 1.0 };
    let stretched = (whole - short * shrunk) / long.max(f64::MIN_POSITIVE);
    let mut now = 0.0;
    for (line, (pause, is_long)) in lines.iter_mut().zip(pauses) {
        now += pause * if *is_long { stretched } else { shrunk };
        line.at = (now / whole).clamp(0.0, 1.0);
    }
}

fn decorate(line: &mut Line, persons: &[usize], rng: &mut StdRng) {
    if rng.random_ratio(1, REACTED_ONE_IN) {
        let count = rng.random_range(1..=4);
        for person in persons.choose_multiple(rng, count) {
            let code = REACTIONS.choose(rng).copied().unwrap_or("👍");
            line.reactions.push((*person, code));
        }
    }
    if rng.random_ratio(1, FILE_ONE_IN) {
        line.attachment = Some(attachment(rng));
    }
}

fn attachment(rng: &mut StdRng) -> Attachment {
    if rng.random_ratio(1, 2) {
        let [red, green, blue] = [rng.random(), rng.random(), rng.random()];
        let filename = format!("sketch-{red:02x}{green:02x}{blue:02x}.png");
        return Attachment { filename, bytes: super::picture::png(red, green, blue) };
    }
    let number = rng.random_range(1..1_000);
    let mut text = format!("# Notes {number}\n\n");
    for point in 1..=rng.random_range(3..9) {
        let (said, _) = filled(
            &["Check {service} before {version}", "Ask about {link}", "{number} open points"],
            &[],
            &[],
            rng,
        )
        .swap_remove(point % 3);
        text.push_str("- ");
        text.push_str(&said);
        text.push('\n');
    }
    Attachment { filename: format!("notes-{number}.md"), bytes: text.into_bytes() }
}
