//! Texts of JSON objects, as an event borrows them.

use core::net::IpAddr;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::text::address;
use crate::time::{Clock, Moment, epoch, rfc3339};

/// A value as it stands in the line. Its escapes stay as they are: producers escape only what names and
/// addresses cannot hold, and a quote in a URL must not make the rest of its record unread.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Value<'l>(#[serde(borrow)] &'l RawValue);

/// The record that a line is; `None` for what is no object, or not of this shape.
pub(super) fn record<'l, R: Deserialize<'l>>(line: &'l [u8]) -> Option<R> {
    // An array would be read as a record, its fields in order.
    line.starts_with(b"{").then(|| serde_json::from_slice(line).ok()).flatten()
}

impl<'l> Value<'l> {
    /// What is between the quotes of a text that is not empty.
    pub(super) fn text(self) -> Option<&'l [u8]> {
        let inside = self.0.get().strip_prefix('"')?.strip_suffix('"')?;
        (!inside.is_empty()).then_some(inside.as_bytes())
    }

    /// What is between the quotes of a text, or the number or truth value.
    pub(super) fn scalar(self) -> Option<&'l [u8]> {
        let raw = self.0.get();
        match raw.as_bytes().first()? {
            b'"' => self.text(),
            b'{' | b'[' | b'n' => None,
            _ => Some(raw.as_bytes()),
        }
    }

    /// The address that a text is.
    pub(super) fn address(self) -> Option<IpAddr> {
        self.text().and_then(address)
    }

    /// The port that a number is.
    pub(super) fn port(self) -> Option<u16> {
        self.0.get().parse().ok()
    }

    /// The truth value that it is.
    pub(super) fn flag(self) -> Option<bool> {
        self.0.get().parse().ok()
    }

    /// The moment that a text in RFC 3339 or a number of seconds since 1970 is.
    pub(super) fn moment(self, clock: &Clock) -> Option<Moment> {
        let read = match self.text() {
            Some(text) => rfc3339(text, clock),
            None => epoch(self.0.get().as_bytes(), clock),
        };
        read.and_then(|(moment, rest)| rest.is_empty().then_some(moment))
    }

    /// The object that it is; none when it is none, or not of this shape.
    pub(super) fn object<T: Deserialize<'l>>(self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }
}
