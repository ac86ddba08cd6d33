//! From what a person typed (`/roll 2d6+1`) to typed arguments.

use crate::manifest::{Command, CommandOption, OptionKind};
use crate::words::{Argument, OptionValue};
use std::collections::BTreeMap;

const TEXT_CHARACTERS: usize = 4000;
/// The largest number whose neighbours an f64 still tells apart: beyond it min and max would not hold.
const LARGEST_INTEGER: i64 = 1 << 53;

/// What is wrong with a command, in words for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CommandFault(pub String);

/// The name of the command in `/name …`.
pub fn command_name(text: &str) -> Result<&str, CommandFault> {
    Ok(split(text)?.0)
}

impl Command {
    /// How to write it: `/poll <question> [hours]`.
    pub fn usage(&self) -> String {
        let mut usage = format!("/{}", self.name);
        for option in &self.options {
            let (open, close) = if option.required { ('<', '>') } else { ('[', ']') };
            usage.push(' ');
            usage.push(open);
            usage.push_str(&option.name);
            usage.push(close);
        }
        usage
    }

    /// The arguments in the whole text `/name …`, in the order of the options, with defaults filled in.
    ///
    /// A value is given by name (`hours=3`) or in the order of the options that have none yet and can take it. `"…"` keeps spaces
    /// together and `\"` is a quotation mark in it; a text option that is the last one takes the rest of the line as
    /// it is.
    pub fn arguments(&self, text: &str) -> Result<Vec<Argument>, CommandFault> {
        let (_, rest) = split(text)?;
        let given = self.given(rest)?;
        let mut arguments = Vec::new();
        for option in &self.options {
            let value = match given.get(option.name.as_str()) {
                Some(text) => {
                    Some(option.value(text).map_err(|why| self.fault(&format!("`{}` {why}", option.name)))?)
                }
                None if option.required => return Err(self.fault(&format!("`{}` is missing", option.name))),
                None => option.default.clone(),
            };
            arguments.extend(value.map(|value| Argument { name: option.name.clone(), value }));
        }
        Ok(arguments)
    }

    /// The text of each option that was given.
    fn given(&self, mut rest: &str) -> Result<BTreeMap<&str, String>, CommandFault> {
        let mut given = BTreeMap::new();
        while !rest.is_empty() {
            let named = self.options.iter().find_map(|option| {
                let after = rest.strip_prefix(option.name.as_str())?.strip_prefix('=')?;
                Some((option, after))
            });
            let next = || self.next(&given, rest);
            let (option, value, after) = match (named, next()) {
                (Some((option, after)), _) => {
                    let (value, after) = word(after).map_err(|why| self.fault(why))?;
                    (option, value, after)
                }
                (None, Some(option)) if self.takes_the_rest(option) && !rest.starts_with('"') => {
                    (option, rest.to_owned(), "")
                }
                (None, Some(option)) => {
                    let (value, after) = word(rest).map_err(|why| self.fault(why))?;
                    (option, value, after)
                }
                (None, None) => return Err(self.fault(&format!("there is no option for `{}`", shown(rest)))),
            };
            if given.insert(option.name.as_str(), value).is_some() {
                return Err(self.fault(&format!("`{}` is given twice", option.name)));
            }
            rest = after;
        }
        Ok(given)
    }

    /// The option that a value without a name is for: the first that has none yet. When nothing that is open but the
    /// text at the end could be meant, it is for that: `/poll "Tea or coffee?" tea, coffee` needs no hours.
    fn next(&self, given: &BTreeMap<&str, String>, rest: &str) -> Option<&CommandOption> {
        let open: Vec<&CommandOption> =
            self.options.iter().filter(|option| !given.contains_key(option.name.as_str())).collect();
        let (last, before) = open.split_last()?;
        let value = word(rest).map(|(value, _)| value).unwrap_or_default();
        let is_meant = |option: &&CommandOption| option.required || option.may_be(&value);
        if self.takes_the_rest(last) && !before.iter().any(is_meant) {
            return Some(last);
        }
        open.first().copied()
    }

    fn takes_the_rest(&self, option: &CommandOption) -> bool {
        option.kind == OptionKind::Text && self.options.last().is_some_and(|last| last.name == option.name)
    }

    fn fault(&self, what: &str) -> CommandFault {
        CommandFault(format!("{what}. Usage: {}", self.usage()))
    }
}

impl CommandOption {
    /// The text as a value of this option; the error completes a sentence that begins with the option's name.
    pub(crate) fn value(&self, text: &str) -> Result<OptionValue, String> {
        match self.kind {
            OptionKind::Text => Ok(OptionValue::Text(text.to_owned())),
            OptionKind::Integer => {
                let integer: i64 = text.parse().map_err(|_| "must be an integer".to_owned())?;
                if !(-LARGEST_INTEGER..=LARGEST_INTEGER).contains(&integer) {
                    return Err("is too large".into());
                }
                self.within(integer as f64).map(|()| OptionValue::Integer(integer))
            }
            OptionKind::Number => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                let number = number.ok_or_else(|| "must be a number".to_owned())?;
                self.within(number).map(|()| OptionValue::Number(number))
            }
            OptionKind::Toggle => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Ok(OptionValue::Toggle(true)),
                "false" | "no" | "off" => Ok(OptionValue::Toggle(false)),
                _ => Err("must be yes or no".into()),
            },
            OptionKind::User => name_of(text, '@').map(OptionValue::User),
            OptionKind::Channel => name_of(text, '#').map(OptionValue::Channel),
            OptionKind::Choice => {
                let chosen = self.choices.iter().find(|choice| choice.eq_ignore_ascii_case(text));
                let chosen = chosen.ok_or_else(|| format!("must be one of {}", self.choices.join(", ")))?;
                Ok(OptionValue::Choice(chosen.clone()))
            }
        }
    }

    /// Whether somebody who wrote this may have meant the option: a number that is too large is a mistake, a word is no
    /// number at all.
    fn may_be(&self, text: &str) -> bool {
        match self.kind {
            OptionKind::Integer | OptionKind::Number => text.parse::<f64>().is_ok(),
            OptionKind::Toggle => self.value(text).is_ok(),
            OptionKind::Text | OptionKind::Choice | OptionKind::User | OptionKind::Channel => true,
        }
    }

    fn within(&self, number: f64) -> Result<(), String> {
        match (self.min, self.max) {
            (Some(min), Some(max)) if number < min || number > max => {
                Err(format!("must be from {min} to {max}"))
            }
            (Some(min), _) if number < min => Err(format!("must be at least {min}")),
            (_, Some(max)) if number > max => Err(format!("must be at most {max}")),
            _ => Ok(()),
        }
    }
}

/// The name of a user or a channel, with or without its mark.
fn name_of(text: &str, mark: char) -> Result<String, String> {
    let name = text.strip_prefix(mark).unwrap_or(text);
    if name.is_empty() { Err(format!("must be a name such as {mark}name")) } else { Ok(name.to_owned()) }
}

/// The name, and the trimmed text after it.
fn split(text: &str) -> Result<(&str, &str), CommandFault> {
    if text.chars().count() > TEXT_CHARACTERS {
        return Err(CommandFault(format!("A command has at most {TEXT_CHARACTERS} characters.")));
    }
    let text = text.trim();
    let text = text.strip_prefix('/').ok_or_else(|| CommandFault("A command begins with a slash.".into()))?;
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if name.is_empty() {
        return Err(CommandFault("A slash alone is no command.".into()));
    }
    Ok((name, rest.trim()))
}

/// The first word or quoted text, and what comes after it.
fn word(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        return Ok((word.to_owned(), rest.trim_start()));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = &quoted[at + 1..];
                let apart = rest.is_empty() || rest.starts_with(char::is_whitespace);
                return if apart {
                    Ok((value, rest.trim_start()))
                } else {
                    Err("a space is missing after a quotation")
                };
            }
            '\\' => value.push(characters.next().map_or('\\', |(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    Err("a quotation mark is not closed")
}

fn shown(text: &str) -> String {
    text.chars().map(|character| if character == '`' { '\'' } else { character }).take(40).collect()
}
