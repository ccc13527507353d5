//! Reading a line from its beginning.

use core::net::IpAddr;

/// What is left of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'l>(pub(super) &'l [u8]);

impl<'l> Text<'l> {
    /// Goes behind `start`, when the text begins so.
    pub(super) fn expect(&mut self, start: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(start)?;
        Some(())
    }

    /// What is before the first `byte`, and goes behind it.
    pub(super) fn until(&mut self, byte: u8) -> Option<&'l [u8]> {
        let place = memchr::memchr(byte, self.0)?;
        let (before, rest) = self.0.split_at_checked(place)?;
        self.0 = rest.get(1..)?;
        Some(before)
    }

    /// What is before the next blank, or all.
    pub(super) fn word(&mut self) -> &'l [u8] {
        match memchr::memchr(b' ', self.0) {
            Some(_) => self.until(b' ').unwrap_or_default(),
            None => core::mem::take(&mut self.0),
        }
    }

    /// Goes behind the first `middle`; what is before it.
    pub(super) fn behind(&mut self, middle: &[u8]) -> Option<&'l [u8]> {
        let place = memchr::memmem::find(self.0, middle)?;
        let (before, rest) = self.0.split_at_checked(place)?;
        self.0 = rest.get(middle.len()..)?;
        Some(before)
    }
}

/// An address.
pub(crate) fn address(text: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = core::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.to_canonical())
}

/// A number.
pub(super) fn number<N: core::str::FromStr>(text: &[u8]) -> Option<N> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// The host of `host:80`, and of `[::1]:80`.
pub(super) fn without_port(host: &[u8]) -> &[u8] {
    if let Some(address) =
        host.strip_prefix(b"[").and_then(|rest| rest.split(|it| *it == b']').next())
    {
        return address;
    }
    memchr::memrchr(b':', host)
        .filter(|colon| memchr::memchr(b':', host) == Some(*colon))
        .and_then(|colon| host.get(..colon))
        .unwrap_or(host)
}

/// The value behind `key`, up to a blank or comma.
pub(super) fn value<'l>(text: &'l [u8], key: &[u8]) -> Option<&'l [u8]> {
    let mut from = 0;
    loop {
        let place = from + memchr::memmem::find(text.get(from..)?, key)?;
        let is_word = |before: &u8| before.is_ascii_alphanumeric() || *before == b'_';
        let is_start = !text.get(..place).and_then(<[u8]>::last).is_some_and(is_word);
        let rest = text.get(place + key.len()..)?;
        if is_start {
            let end = rest.iter().position(|byte| b" ,".contains(byte)).unwrap_or(rest.len());
            return rest.get(..end);
        }
        from = place + 1;
    }
}
