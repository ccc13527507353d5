//! What the source hands to the routines that fill the program's tables, call by call.

use super::configuration::{Configuration, Strings};

/// One argument of such a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A number.
    Number(u64),
    /// A pointer to these bytes.
    Bytes(Vec<u8>),
    /// The address of a routine.
    Routine(&'static str),
}

impl Configuration {
    /// Name of the routine, and the arguments of its calls in the order of the source. A file need
    /// not have every routine: styles and forks differ.
    pub(crate) fn added_rows(&self) -> Vec<(&'static str, Vec<Vec<Row>>)> {
        let entries = self.entries.iter().filter(|_| self.strings == Strings::Table).map(|entry| {
            let bytes = self.coded(entry);
            let length = Row::Number(entry.value.bytes().len() as u64);
            vec![Row::Number(u64::from(entry.id)), Row::Bytes(bytes), length]
        });
        let credentials = self.credentials.iter().map(|pair| {
            let coded = |text: &str| Row::Bytes(self.coded_login(pair, text));
            vec![coded(&pair.user), coded(&pair.password), Row::Number(u64::from(pair.weight))]
        });
        let attacks = self.attacks.iter().map(|attack| {
            vec![Row::Number(u64::from(attack.vector)), Row::Routine(attack.kind.handler)]
        });
        vec![
            ("add_entry", entries.collect()),
            ("add_auth_entry", credentials.collect()),
            ("add_attack", attacks.collect()),
        ]
    }
}
