//! Rules of YARA, one a configuration, made of the encoded texts of its table.
//!
//! The texts lie in the files of all CPU types as they are stored, whatever the cipher, and nobody else encodes the same with the
//! same key. Code is not matched, and nothing that is not encoded: C libraries and harmless programs
//! have that too.
//!
//! False positives: a file of another configuration with the same key, the same hosts in its table and
//! nearly the same texts, whose C2 is elsewhere; files that collect others, whole. False negatives:
//! files that are packed; configurations whose texts do not lie in the file as they are stored, are too
//! few or have no host of the attackers among them, as the family's texts alone are everybody's; a host
//! or more than a quarter of the texts that the compiler made instructions of.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::configurations::{Configuration, Configurations, Encoded};
use crate::list::{BlockList, ExportError, Folder, Written, file};

/// File of the rules.
pub const FILE: &str = "miyaburi.yar";

/// Bytes of the shortest text of a rule: four are met by chance in files of some size.
const SHORTEST: usize = 6;

/// Bytes of a text that a rule takes: more make it no surer.
const LONGEST: usize = 64;

/// Texts of a rule besides hosts: more make it no surer, either.
const MOST: usize = 48;

/// Texts that a rule needs besides a host.
const FEWEST: usize = 6;

/// Writes a rule for each configuration that has enough of these texts. Left out are the others.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    list: &BlockList,
    configurations: &Configurations,
    folder: &mut dyn Folder,
) -> Result<Written, ExportError> {
    file(folder, FILE, |writer| {
        for line in list.head() {
            writeln!(writer, "// {line}")?;
        }
        let mut written = Written::default();
        for (identifier, configuration) in configurations.iter() {
            match Strings::of(configuration) {
                Some(strings) => {
                    write_rule(writer, identifier, configuration, &strings)?;
                    written.entries += 1;
                }
                None => written.left_out += 1,
            }
        }
        Ok(written)
    })
}

/// What a rule looks for.
struct Strings<'a> {
    servers: BTreeSet<&'a [u8]>,
    others: BTreeSet<&'a [u8]>,
}

impl<'a> Strings<'a> {
    /// The texts of a configuration, none when they are too few.
    fn of(configuration: &'a Configuration) -> Option<Self> {
        let part = |encoded: &'a Encoded| encoded.bytes.get(..LONGEST).unwrap_or(&encoded.bytes);
        let long = configuration.encoded.iter().filter(|it| it.bytes.len() >= SHORTEST);
        let (servers, others): (Vec<&Encoded>, Vec<&Encoded>) = long.partition(|it| it.is_server);
        let mut others: Vec<&[u8]> = others.into_iter().map(part).collect();
        others.sort_by_key(|bytes| usize::MAX - bytes.len());
        others.truncate(MOST);
        let servers: BTreeSet<&[u8]> = servers.into_iter().map(part).collect();
        let is_enough = !servers.is_empty() && others.len() >= FEWEST;
        is_enough.then(|| Self { servers, others: others.into_iter().collect() })
    }
}

/// Everything in a rule is a number: no text of a report can end a string or add a rule.
fn write_rule(
    writer: &mut dyn Write,
    identifier: &str,
    configuration: &Configuration,
    strings: &Strings<'_>,
) -> io::Result<()> {
    writeln!(writer, "\nrule miyaburi_{identifier}\n{{\n    meta:")?;
    writeln!(writer, "        configuration = \"{identifier}\"")?;
    writeln!(writer, "        files = {}", configuration.files.len())?;
    writeln!(writer, "    strings:")?;
    for (name, texts) in [("server", &strings.servers), ("text", &strings.others)] {
        for (number, bytes) in texts.iter().enumerate() {
            writeln!(writer, "        ${name}{number} = {{ {} }}", digits(bytes))?;
        }
    }
    let required = (strings.others.len() * 3).div_ceil(4);
    writeln!(writer, "    condition:")?;
    writeln!(writer, "        uint32(0) == 0x464c457f and all of ($server*)")?;
    writeln!(writer, "        and {required} of ($text*)\n}}")
}

/// Such as `41 4c 41`.
fn digits(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}
