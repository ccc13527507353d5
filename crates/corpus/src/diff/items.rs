//! What identifies an item of a list, and what of it is compared.

use miyaburi_model::{
    Attack, Credential, Endpoint, EndpointRole, EntryValue, Exploit, ExternalSource, LooseString,
    Probe, SourceKind, TableEntry,
};

use super::SynField;

/// An item of a list in a report.
pub(super) trait Item: Clone {
    /// What identifies an item.
    type Key<'a>: Ord
    where
        Self: 'a;

    /// How many keys are tried one after the other on what is left.
    const ROUNDS: usize = 1;

    /// The key of a round; that of round 0 sorts items.
    fn key(&self, round: usize) -> Self::Key<'_>;

    /// The members that are compared and not the same.
    fn differing(&self, other: &Self) -> Vec<&'static str>;
}

/// The names of the members in which two structures differ.
macro_rules! differing {
    ($one:ident, $other:ident: $($member:ident),+) => {{
        let mut names = Vec::new();
        $(if $one.$member != $other.$member {
            names.push(stringify!($member));
        })+
        names
    }};
}

impl Item for Endpoint {
    type Key<'a> = (bool, &'a str, Option<u16>);

    const ROUNDS: usize = 2;

    /// C2s sort first; one that became something else is still the same endpoint.
    fn key(&self, round: usize) -> Self::Key<'_> {
        (round == 0 && self.role != EndpointRole::C2, &self.host, self.port)
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(self, other: protocol, url, role, order, method, confidence)
    }
}

impl Item for ExternalSource {
    type Key<'a> = (SourceKind, Option<&'a str>);

    fn key(&self, _: usize) -> Self::Key<'_> {
        (self.source, self.name.as_deref())
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(self, other: record, transform)
    }
}

/// A table entry's value as something that sorts.
type Value<'a> = (u16, &'a str, &'a [u8]);

impl Item for TableEntry {
    type Key<'a> = (Option<u32>, Option<Value<'a>>);

    const ROUNDS: usize = 3;

    /// Forks renumber entries and keep their values, so that a value says more than an id.
    fn key(&self, round: usize) -> Self::Key<'_> {
        let value: Value<'_> = match &self.value {
            EntryValue::Port { port } => (*port, "", &[]),
            EntryValue::Text { text } => (0, text, b"text"),
            EntryValue::Bytes => (0, "", &self.hex.0),
        };
        match round {
            0 => (Some(self.id), Some(value)),
            1 => (None, Some(value)),
            _ => (Some(self.id), None),
        }
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let mut names = differing!(self, other: id);
        let parts = |entry: &Self| match &entry.value {
            EntryValue::Text { text } => ("text", Some(text.clone()), None),
            EntryValue::Port { port } => ("port", None, Some(*port)),
            EntryValue::Bytes => ("bytes", None, None),
        };
        let (one, two) = (parts(self), parts(other));
        names.extend((one.0 != two.0).then_some("kind"));
        names.extend((one.1 != two.1).then_some("text"));
        names.extend((one.2 != two.2).then_some("port"));
        names.extend(differing!(self, other: hex, role, cipher, effective_key, stale, code_hex));
        names
    }
}

impl Item for LooseString {
    type Key<'a> = &'a str;

    fn key(&self, _: usize) -> Self::Key<'_> {
        &self.text
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(self, other: hex, cipher, effective_key, role)
    }
}

impl Item for Credential {
    type Key<'a> = (&'a str, &'a str);

    fn key(&self, _: usize) -> Self::Key<'_> {
        (&self.user, &self.password)
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(self, other: weight)
    }
}

impl Item for Attack {
    type Key<'a> = (Option<u32>, Option<&'a str>);

    fn key(&self, _: usize) -> Self::Key<'_> {
        (self.vector, self.command.as_deref())
    }

    /// The handler's address is none of its properties, nor is the order in which options and
    /// vectors with the same handler are listed.
    fn differing(&self, other: &Self) -> Vec<&'static str> {
        let ordered = |attack: &Self| {
            let mut attack = attack.clone();
            attack.same_as.sort_unstable();
            attack.options.sort_by_key(|option| option.key);
            attack
        };
        let (one, two) = (ordered(self), ordered(other));
        differing!(one, two: kind, kind_method, same_as, options, packets)
    }
}

impl Item for Probe {
    type Key<'a> = u16;

    fn key(&self, _: usize) -> Self::Key<'_> {
        self.port
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(self, other: weight)
    }
}

impl Item for SynField {
    type Key<'a> = &'a str;

    fn key(&self, _: usize) -> Self::Key<'_> {
        &self.field
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(self, other: value)
    }
}

impl Item for Exploit {
    type Key<'a> = (Option<u16>, Option<&'a str>, Option<&'a str>);

    fn key(&self, _: usize) -> Self::Key<'_> {
        (self.port, self.method.as_deref(), self.path.as_deref())
    }

    fn differing(&self, other: &Self) -> Vec<&'static str> {
        differing!(self, other: body_hex, loader)
    }
}
