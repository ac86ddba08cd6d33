//! Genuine contents in texts that no encoder makes: two texts must not be one token.

use super::genuine::{Forged, Genuine, encoded, named, text_of};

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Whatever can be done to a text.
pub fn all(genuine: &Genuine) -> Vec<Forged> {
    [signatures(genuine), letters(genuine), forms(genuine), lengths(genuine)].concat()
}

fn signatures(genuine: &Genuine) -> Vec<Forged> {
    let [header, claims, signature] = genuine.parts();
    let signed = |signature: &str| format!("{header}.{claims}.{signature}");
    let half = signature.len() / 2;
    named(
        "signature",
        [
            ("missing", format!("{header}.{claims}")),
            ("empty", signed("")),
            ("one letter short", signed(&signature[..signature.len() - 1])),
            ("half", signed(&signature[..half])),
            ("one letter long", signed(&format!("{signature}A"))),
            ("one byte long", signed(&format!("{signature}AAAA"))),
            ("twice", signed(&signature.repeat(2))),
            (
                "its first bit turned over",
                signed(&format!("{}{}", turned(&signature[..1], 32), &signature[1..])),
            ),
            ("its last bit turned over", signed(&turned(signature, 4))),
            ("of another length", signed(&"ab".repeat(32))),
            (
                "another token's",
                signed(genuine.with_claims(|claims| drop(claims.remove("jti"))).rsplit_once('.').unwrap().1),
            ),
        ],
    )
}

/// The last letter of a part with some of its bits turned over.
fn turned(part: &str, bits: usize) -> String {
    let (last, rest) = part.as_bytes().split_last().unwrap();
    let place = LETTERS.iter().position(|letter| letter == last).unwrap();
    format!("{}{}", std::str::from_utf8(rest).unwrap(), char::from(LETTERS[place ^ bits]))
}

fn letters(genuine: &Genuine) -> Vec<Forged> {
    let [header, claims, signature] = genuine.parts();
    // Of a text whose length leaves two bytes over, the last letter holds two bits that mean nothing.
    let loose = |text: &str| {
        let text = format!("{text}{}", " ".repeat((5 - text.len() % 3) % 3));
        turned(&encoded(&text), 1)
    };
    let padded = |text: &str| {
        let text = format!("{text}{}", " ".repeat((5 - text.len() % 3) % 3));
        format!("{}=", encoded(&text))
    };
    let (header_text, claims_text) = (text_of(&genuine.header), text_of(&genuine.claims));
    named(
        "letters",
        [
            ("stray bits in the signature", format!("{header}.{claims}.{}", turned(signature, 1))),
            ("stray bits in the claims", genuine.sealed(&format!("{header}.{}", loose(&claims_text)))),
            ("stray bits in the header", genuine.sealed(&format!("{}.{claims}", loose(&header_text)))),
            ("padding behind the signature", format!("{header}.{claims}.{signature}=")),
            ("padding behind the claims", genuine.sealed(&format!("{header}.{}", padded(&claims_text)))),
            ("padding behind the header", genuine.sealed(&format!("{}.{claims}", padded(&header_text)))),
            ("the other alphabet", other_alphabet(genuine)),
            (
                "a blank in the signature",
                format!("{header}.{claims}.{} {}", &signature[..9], &signature[9..]),
            ),
            ("a blank in the claims", genuine.sealed(&format!("{header}.{} {}", &claims[..9], &claims[9..]))),
            ("a blank behind a dot", format!("{header}. {claims}.{signature}")),
            ("a new line inside", format!("{header}.{claims}\n.{signature}")),
            ("a NUL behind", format!("{}\0", genuine.token)),
            ("a dot as its escape", genuine.token.replace('.', "%2E")),
            ("in quotes", format!("\"{}\"", genuine.token)),
            ("in capitals", genuine.token.to_uppercase()),
        ],
    )
}

/// The same signature in the alphabet of RFC 4648 §4, where it has a letter by which the two differ.
fn other_alphabet(genuine: &Genuine) -> String {
    let spaced = (1..200).map(|count| {
        let claims = format!("{}{}", text_of(&genuine.claims), " ".repeat(count));
        genuine.of_texts(&text_of(&genuine.header), &claims)
    });
    let (message, signature) = spaced
        .map(|token| token.rsplit_once('.').map(|(message, it)| (message.to_owned(), it.to_owned())).unwrap())
        .find(|(_, signature)| signature.contains(['-', '_']))
        .unwrap();
    format!("{message}.{}", signature.replace('-', "+").replace('_', "/"))
}

fn forms(genuine: &Genuine) -> Vec<Forged> {
    let [header, claims, signature] = genuine.parts();
    let token = &genuine.token;
    let json = format!(r#"{{"protected":"{header}","payload":"{claims}","signature":"{signature}"}}"#);
    let encrypted = encoded(r#"{"alg":"dir","enc":"A256GCM","typ":"at+jwt"}"#);
    named(
        "form",
        [
            ("a dot before", format!(".{token}")),
            ("a dot behind", format!("{token}.")),
            ("two dots inside", format!("{header}..{claims}.{signature}")),
            ("nothing but dots", "..".to_owned()),
            ("empty", String::new()),
            ("one part", header.to_owned()),
            ("four parts", format!("{token}.{signature}")),
            ("five parts", format!("{encrypted}..{}.{claims}.{signature}", encoded("twelve bytes"))),
            ("header and claims exchanged", genuine.sealed(&format!("{claims}.{header}"))),
            ("detached", format!("{header}..{signature}")),
            ("as JSON", json),
            ("a token in a token", genuine.of_texts(&text_of(&genuine.header), token)),
            ("two tokens", format!("{token},{token}")),
        ],
    )
}

/// Blanks that JSON allows, and a genuine signature: too long is all that is wrong with these.
fn lengths(genuine: &Genuine) -> Vec<Forged> {
    let long = |bytes: usize| {
        let claims = format!("{}{}", text_of(&genuine.claims), " ".repeat(bytes));
        genuine.of_texts(&text_of(&genuine.header), &claims)
    };
    named(
        "length",
        [("9 kB", long(6_800)), ("64 kB", long(48_000)), ("64 kB of one letter", "A".repeat(65_536))],
    )
}
