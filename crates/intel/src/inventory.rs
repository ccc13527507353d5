//! One's own devices, as their owner lists them.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

/// Whether the default login of a device was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginChanged {
    /// It was.
    Yes,
    /// It was not.
    No,
    /// Nobody knows.
    Unknown,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct InventoryDevice {
    /// Address, or whatever the owner calls it by.
    pub address: String,
    /// Vendor.
    pub vendor: String,
    /// Model.
    pub model: String,
    /// Firmware version.
    pub firmware: String,
    /// Open ports, null when not known.
    pub open_ports: Option<BTreeSet<u16>>,
    /// Whether the default login was changed.
    pub login_changed: LoginChanged,
}

/// A line of an inventory that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It is no CSV with the columns.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// Columns are missing.
    #[error("no inventory: its first line lacks {0}")]
    Columns(String),
    /// A device has no address.
    #[error("line {line}: no address")]
    Address {
        /// The line, from 1 for the header.
        line: u64,
    },
    /// A port is none.
    #[error("line {line}: {text:?} is no port")]
    Port {
        /// The line, from 1 for the header.
        line: u64,
        /// What stands there.
        text: String,
    },
    /// Neither yes nor no.
    #[error("line {line}: {text:?} is none of yes, no, unknown")]
    LoginChanged {
        /// The line, from 1 for the header.
        line: u64,
        /// What stands there.
        text: String,
    },
}

/// The columns, whose order is free, in either case.
const COLUMNS: [&str; 6] =
    ["address", "vendor", "model", "firmware", "open_ports", "login_changed"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    address: String,
    vendor: String,
    model: String,
    firmware: String,
    open_ports: String,
    login_changed: String,
}

/// Reads CSV with the columns `address`, `vendor`, `model`, `firmware`, `open_ports` (numbers with
/// blanks between them, `none`, or empty when not known) and `login_changed` (`yes`, `no`,
/// `unknown` or empty). Lines that say the same are one device.
///
/// # Errors
/// The first line that cannot be taken.
pub fn parse_inventory(csv: &[u8]) -> Result<Vec<InventoryDevice>, InventoryError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(csv);
    let headers: csv::StringRecord =
        reader.headers()?.iter().map(str::to_ascii_lowercase).collect();
    let missing: Vec<&str> =
        COLUMNS.into_iter().filter(|column| !headers.iter().any(|it| it == *column)).collect();
    if !missing.is_empty() {
        return Err(InventoryError::Columns(missing.join(", ")));
    }
    let mut devices: Vec<InventoryDevice> = Vec::new();
    let mut known = HashSet::new();
    for record in reader.records() {
        let record = record?;
        let number = record.position().map_or(0, csv::Position::line);
        let line: Line = record.deserialize(Some(&headers))?;
        if line.address.is_empty() {
            return Err(InventoryError::Address { line: number });
        }
        let device = InventoryDevice {
            open_ports: ports(&line.open_ports)
                .map_err(|text| InventoryError::Port { line: number, text })?,
            login_changed: login_changed(&line.login_changed)
                .map_err(|text| InventoryError::LoginChanged { line: number, text })?,
            address: line.address,
            vendor: line.vendor,
            model: line.model,
            firmware: line.firmware,
        };
        if known.insert(device.clone()) {
            devices.push(device);
        }
    }
    Ok(devices)
}

fn ports(text: &str) -> Result<Option<BTreeSet<u16>>, String> {
    match text {
        "" => Ok(None),
        "none" => Ok(Some(BTreeSet::new())),
        text => text
            .split_ascii_whitespace()
            .map(|port| port.parse().map_err(|_| port.to_owned()))
            .collect::<Result<_, _>>()
            .map(Some),
    }
}

fn login_changed(text: &str) -> Result<LoginChanged, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" => Ok(LoginChanged::Yes),
        "no" => Ok(LoginChanged::No),
        "" | "unknown" => Ok(LoginChanged::Unknown),
        _ => Err(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADER: &str = "address,vendor,model,firmware,open_ports,login_changed\n";

    #[test]
    fn ports_may_be_known_none_or_unknown() {
        let lines = format!(
            "{HEADER}192.0.2.1,Dahua,\"IPC, 1\",2.1,23 80,No\n192.0.2.2,Axis,,,none,yes\n192.0.2.3,Axis,,,,\n"
        );
        let devices = parse_inventory(lines.as_bytes()).unwrap();
        assert_eq!(devices[0].model, "IPC, 1");
        assert_eq!(devices[0].open_ports, Some(BTreeSet::from([23, 80])));
        assert_eq!(devices[0].login_changed, LoginChanged::No);
        assert_eq!(devices[1].open_ports, Some(BTreeSet::new()));
        assert_eq!(devices[1].login_changed, LoginChanged::Yes);
        assert_eq!(devices[2].open_ports, None);
        assert_eq!(devices[2].login_changed, LoginChanged::Unknown);
    }

    #[test]
    fn what_spreadsheets_make_of_an_inventory_is_read() {
        let lines = "\u{feff}Address,VENDOR,model,Firmware,Open_Ports,login_changed\r\n\
            192.0.2.1, Axis ,M1,,80,YES\r\n192.0.2.1,Axis,M1,,80,yes\r\n192.0.2.1,Axis,M2,,80,yes\r\n";
        let devices = parse_inventory(lines.as_bytes()).unwrap();
        let read: Vec<(&str, &str)> =
            devices.iter().map(|it| (it.vendor.as_str(), it.model.as_str())).collect();
        assert_eq!(read, [("Axis", "M1"), ("Axis", "M2")]);
        assert_eq!(devices[0].login_changed, LoginChanged::Yes);
    }

    #[test]
    fn lines_that_say_nothing_clear_are_refused() {
        let parsed = |line: &str| parse_inventory(format!("{HEADER}{line}\n").as_bytes());
        assert!(matches!(parsed("a,b,c,d,70000,no"), Err(InventoryError::Port { line: 2, .. })));
        assert!(matches!(
            parsed("a,b,c,d,23,maybe"),
            Err(InventoryError::LoginChanged { line: 2, .. })
        ));
        assert!(matches!(parsed("a,b,c"), Err(InventoryError::Csv(_))));
        let nameless = parsed(" ,b,c,d,23,no");
        assert!(matches!(nameless, Err(InventoryError::Address { line: 2 })));
        // With devices or without.
        for lines in [
            "address,vendor,firmware,open_ports\n",
            "address,vendor,firmware,open_ports\n1,2,3,4\n",
        ] {
            let error = parse_inventory(lines.as_bytes()).unwrap_err();
            let lacking = "no inventory: its first line lacks model, login_changed";
            assert_eq!(error.to_string(), lacking);
        }
        assert!(parse_inventory(b"").is_err());
        assert!(parse_inventory(HEADER.as_bytes()).unwrap().is_empty());
    }
}
