//! What to roll: `NdM`, `NdM+K` or `NdM-K`.

use std::fmt;

const MOST_DICE: u32 = 100;
const MOST_SIDES: u32 = 1000;
const LARGEST_MODIFIER: i32 = 10_000;
/// Beyond this many dice, only their sum is told: a line of a hundred numbers tells nobody anything.
const MOST_DICE_LISTED: usize = 20;

/// `count` dice of `sides` sides each, and `modifier` added to their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    pub count: u32,
    pub sides: u32,
    pub modifier: i32,
}

impl Expression {
    /// Reads `2d6+1`, `d20`, `3D8 - 2`, or nothing at all (1d6). The error is for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let compact: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        if compact.is_empty() {
            return Ok(Self { count: 1, sides: 6, modifier: 0 });
        }
        let compact = compact.to_ascii_lowercase();
        let (count, rest) = compact.split_once('d').ok_or_else(|| not_dice(text))?;
        let (sides, modifier) = match rest.find(['+', '-']) {
            Some(sign) => rest.split_at(sign),
            None => (rest, ""),
        };
        Ok(Self {
            count: if count.is_empty() {
                1
            } else {
                number(count, 1, MOST_DICE, "the number of dice", text)?
            },
            sides: number(sides, 2, MOST_SIDES, "the number of sides", text)?,
            modifier: parse_modifier(modifier, text)?,
        })
    }

    /// `🎲 2d6+1: 3 + 5 + 1 = **9**`
    pub fn describe(&self, rolled: &[u32]) -> String {
        let total = rolled.iter().map(|&one| i64::from(one)).sum::<i64>() + i64::from(self.modifier);
        if (rolled.len() == 1 && self.modifier == 0) || rolled.len() > MOST_DICE_LISTED {
            return format!("🎲 {self}: **{total}**");
        }
        let parts: Vec<String> = rolled.iter().map(u32::to_string).collect();
        let modifier = match self.modifier {
            0 => String::new(),
            more @ 1.. => format!(" + {more}"),
            less => format!(" - {}", less.unsigned_abs()),
        };
        format!("🎲 {self}: {}{modifier} = **{total}**", parts.join(" + "))
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}d{}", self.count, self.sides)?;
        if self.modifier == 0 { Ok(()) } else { write!(out, "{:+}", self.modifier) }
    }
}

fn parse_modifier(text: &str, whole: &str) -> Result<i32, String> {
    let Some(sign) = text.chars().next() else { return Ok(0) };
    let size = number(&text[1..], 0, LARGEST_MODIFIER.unsigned_abs(), "the number added", whole)?;
    // At most LARGEST_MODIFIER, so the conversion cannot fail; an i32 of that size can be negated.
    let size = i32::try_from(size).unwrap_or(LARGEST_MODIFIER);
    Ok(if sign == '-' { -size } else { size })
}

fn number(text: &str, least: u32, most: u32, what: &str, whole: &str) -> Result<u32, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_dice(whole));
    }
    match text.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("In `{}`, {what} must be from {least} to {most}.", shown(whole))),
    }
}

fn not_dice(text: &str) -> String {
    format!("`{}` is not something I can roll. Write for example `2d6+1`, `d20` or `3d8-2`.", shown(text))
}

/// What the person wrote, cut short and unable to break out of its code marks.
fn shown(text: &str) -> String {
    text.trim().chars().map(|character| if character == '`' { '\'' } else { character }).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(u32, u32, i32)> {
        Expression::parse(text).ok().map(|dice| (dice.count, dice.sides, dice.modifier))
    }

    #[test]
    fn reads_the_usual_forms() {
        assert_eq!(parsed(""), Some((1, 6, 0)));
        assert_eq!(parsed("  "), Some((1, 6, 0)));
        assert_eq!(parsed("d20"), Some((1, 20, 0)));
        assert_eq!(parsed("2d6+1"), Some((2, 6, 1)));
        assert_eq!(parsed(" 3D8 - 2 "), Some((3, 8, -2)));
        assert_eq!(parsed("100d1000-10000"), Some((100, 1000, -10_000)));
    }

    #[test]
    fn names_the_limit_that_was_passed() {
        let fault = |text| Expression::parse(text).unwrap_err();
        assert_eq!(fault("101d6"), "In `101d6`, the number of dice must be from 1 to 100.");
        assert_eq!(fault("0d6"), "In `0d6`, the number of dice must be from 1 to 100.");
        assert_eq!(fault("1d1"), "In `1d1`, the number of sides must be from 2 to 1000.");
        assert_eq!(fault("1d6+10001"), "In `1d6+10001`, the number added must be from 0 to 10000.");
        assert_eq!(fault("99999999999d6"), "In `99999999999d6`, the number of dice must be from 1 to 100.");
    }

    #[test]
    fn refuses_what_is_not_dice() {
        for text in ["hello", "2x6", "d", "2d", "2d6+", "2d6+1+1", "-1d6", "2d6.5", "２d６", "2d6d8", "+d6"]
        {
            let fault = Expression::parse(text).unwrap_err();
            assert!(fault.starts_with(&format!("`{text}` is not something I can roll.")), "{text}: {fault}");
        }
    }

    #[test]
    fn a_mistake_is_shown_short_and_inside_its_marks() {
        let fault = Expression::parse(&format!("`@everyone` {}", "x".repeat(500))).unwrap_err();
        assert!(fault.len() < 150, "{fault}");
        assert!(fault.starts_with("`'@everyone' xxx"), "{fault}");
    }

    #[test]
    fn tells_the_sum_and_its_parts() {
        let told = |text: &str, rolled: &[u32]| Expression::parse(text).unwrap().describe(rolled);
        assert_eq!(told("d6", &[4]), "🎲 1d6: **4**");
        assert_eq!(told("2d6+1", &[3, 5]), "🎲 2d6+1: 3 + 5 + 1 = **9**");
        assert_eq!(told("1d4-3", &[1]), "🎲 1d4-3: 1 - 3 = **-2**");
        assert_eq!(told("21d2", &[1; 21]), "🎲 21d2: **21**");
    }
}
