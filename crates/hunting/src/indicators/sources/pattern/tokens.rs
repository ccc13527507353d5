//! The words and signs of a pattern.

use core::fmt;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'p> {
    /// A bracket, a comma or a comparison.
    Sign(&'p str),
    /// A keyword, a number, or the path of a property.
    Word(&'p str),
    /// What is in quotes.
    Text(String),
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign(text) | Self::Word(text) => write!(formatter, "{text:?}"),
            Self::Text(text) => write!(formatter, "{text:?}"),
        }
    }
}

/// Signs, the longest first.
const SIGNS: [&str; 12] = ["!=", "<=", ">=", "[", "]", "(", ")", ",", "=", "<", ">", "*"];

/// What is left of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'p> {
    rest: &'p str,
}

impl<'p> Tokens<'p> {
    pub(super) const fn new(pattern: &'p str) -> Self {
        Self { rest: pattern }
    }

    /// The next token; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'p>>, String> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        if first == '\'' {
            return self.text().map(Some);
        }
        let sign = SIGNS.iter().find(|sign| self.rest.starts_with(**sign));
        let length = sign.map_or_else(|| word(self.rest), |sign| sign.len());
        let (token, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        if token.is_empty() {
            return Err(format!("{first:?} is out of place"));
        }
        self.rest = rest;
        Ok(Some(if sign.is_some() { Token::Sign(token) } else { Token::Word(token) }))
    }

    /// Takes the next token if it is this one.
    pub(super) fn take(&mut self, token: &Token<'_>) -> Result<bool, String> {
        let mut ahead = self.clone();
        let is_it = ahead.next()?.is_some_and(|next| next == *token);
        if is_it {
            *self = ahead;
        }
        Ok(is_it)
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(&Token::Sign(sign))? { Ok(()) } else { Err(format!("no {sign:?}")) }
    }

    /// A text in quotes; a backslash takes the next character as it is.
    fn text(&mut self) -> Result<Token<'p>, String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\'' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Ok(Token::Text(text));
                }
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                character => text.push(character),
            }
        }
        Err("a text has no end".to_owned())
    }
}

/// Bytes of the word at the beginning: of a path with its indices in brackets and its keys in quotes.
fn word(text: &str) -> usize {
    let (mut is_path, mut quoted, mut indexed) = (false, false, false);
    for (at, character) in text.char_indices() {
        let is_part = match character {
            '\'' if is_path => {
                quoted = !quoted;
                true
            }
            _ if quoted => true,
            '[' if is_path => {
                indexed = true;
                true
            }
            ']' if indexed => {
                indexed = false;
                true
            }
            '*' => indexed,
            ':' => {
                is_path = true;
                true
            }
            character => character.is_ascii_alphanumeric() || "-_.".contains(character),
        };
        if !is_part {
            return at;
        }
    }
    text.len()
}
