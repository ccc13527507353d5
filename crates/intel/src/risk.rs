//! Which of one's own devices are next, by what, and what to do.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use miyaburi_model::Confidence;
use serde::Serialize;

use crate::targets::{Cause, Place, Tally, Target, Targets};
use crate::{InventoryDevice, Knowledge, LoginChanged};

/// How soon something has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Something may be wrong: a look is enough.
    Check,
    /// A way in that is known to be tried, and what is missing to say that it is open is unknown.
    Soon,
    /// A way in that is known to be tried is open.
    Now,
}

impl Urgency {
    /// The spelling in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Soon => "soon",
            Self::Now => "now",
        }
    }
}

/// One way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Danger {
    /// How soon something has to be done about it.
    pub urgency: Urgency,
    /// The login or request; absent when only a probed port is open.
    #[serde(flatten)]
    pub cause: Option<Cause>,
    /// Ports of the device that lead there: those probed and open, or probed when it is not known
    /// which are open.
    pub ports: BTreeSet<u16>,
    /// How sure it is that the login or request is this device's.
    pub confidence: Confidence,
    /// Sources that say so.
    pub sources: Vec<String>,
    /// How often it was met.
    #[serde(flatten)]
    pub tally: Tally,
    /// The first places where it was.
    pub found_at: Vec<Place>,
}

/// A device at risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceRisk {
    /// The most urgent of the dangers.
    pub urgency: Urgency,
    /// The device.
    #[serde(flatten)]
    pub device: InventoryDevice,
    /// What to do, the first thing first.
    pub actions: Vec<String>,
    /// Ways in, the most urgent first.
    pub dangers: Vec<Danger>,
}

/// The devices of an inventory that are at risk, most urgent first; devices without a danger are
/// left out.
///
/// A login endangers a device of its vendor whose default login was not changed and that has a
/// probed port open; an exploit one of its vendor and product. Vendors are compared by their letters
/// and digits, a product by whether the model begins with it or contains it as a word.
///
/// False positives: models of the vendor that never had the login, firmware that is fixed (no table
/// says which is), devices that answer to nobody outside. False negatives: devices that are sold
/// under another name than their maker's, and whatever no row knows; an open port that is probed
/// still counts as something to check.
#[must_use]
pub fn risks(targets: &Targets, inventory: &[InventoryDevice]) -> Vec<DeviceRisk> {
    let mut risks: Vec<DeviceRisk> =
        inventory.iter().filter_map(|device| risk(targets, device)).collect();
    risks.sort_by_key(|risk| {
        let met = risk.dangers.first().map_or(0, |danger| danger.tally.configurations);
        (Reverse(risk.urgency), Reverse(met))
    });
    risks
}

fn risk(targets: &Targets, device: &InventoryDevice) -> Option<DeviceRisk> {
    let mut dangers: Vec<Danger> = targets
        .targets
        .iter()
        .filter(|target| is_of(target, device))
        .flat_map(|target| &target.causes)
        .filter_map(|known| {
            let (urgency, ports) = match &known.cause {
                Cause::Exploit { port, .. } => by_exploit(*port, targets, device)?,
                Cause::Credential { .. } => by_login(targets, device)?,
            };
            Some(Danger {
                urgency,
                cause: Some(known.cause.clone()),
                ports,
                confidence: known.confidence,
                sources: known.sources.clone(),
                tally: known.tally.clone(),
                found_at: known.found_at.clone(),
            })
        })
        .collect();
    if dangers.is_empty() {
        dangers.extend(exposure(targets, device));
    }
    dangers.sort_by_key(|danger| {
        let met = danger.tally.configurations;
        (Reverse(danger.urgency), Reverse(danger.confidence), Reverse(met))
    });
    let urgency = dangers.first()?.urgency;
    let actions = actions(&dangers, device);
    Some(DeviceRisk { urgency, device: device.clone(), actions, dangers })
}

/// Whether the device is one of the target's.
fn is_of(target: &Target, device: &InventoryDevice) -> bool {
    let vendor = letters(&target.vendor);
    !vendor.is_empty()
        && vendor == letters(&device.vendor)
        && (target.product.is_empty() || has_product(&device.model, &target.product))
}

/// Whether the model is `product`: its words stand at the model's beginning or among its words.
fn has_product(model: &str, product: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let is_in_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        text.split(|c| !is_in_word(c)).map(letters).filter(|word| !word.is_empty()).collect()
    };
    let (model_words, product_words) = (words(model), words(product));
    letters(model).starts_with(&letters(product))
        || (!product_words.is_empty()
            && model_words.windows(product_words.len()).any(|words| words == product_words))
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The ports among `wanted` that may be reached, and whether that is known.
fn reached(wanted: &BTreeSet<u16>, device: &InventoryDevice) -> (BTreeSet<u16>, bool) {
    match &device.open_ports {
        Some(open) => (wanted.intersection(open).copied().collect(), true),
        None => (wanted.clone(), false),
    }
}

fn by_login(targets: &Targets, device: &InventoryDevice) -> Option<(Urgency, BTreeSet<u16>)> {
    let probed: BTreeSet<u16> = targets.ports.iter().map(|probed| probed.port).collect();
    let (ports, is_known) = reached(&probed, device);
    match (device.login_changed, is_known, ports.is_empty()) {
        (LoginChanged::Yes, ..) => None,
        // No probed port is open: nobody of these gets to the login.
        (_, true, true) => None,
        (LoginChanged::No, true, false) => Some((Urgency::Now, ports)),
        _ => Some((Urgency::Soon, ports)),
    }
}

fn by_exploit(
    port: Option<u16>,
    targets: &Targets,
    device: &InventoryDevice,
) -> Option<(Urgency, BTreeSet<u16>)> {
    let probed: BTreeSet<u16> = match port {
        Some(port) => BTreeSet::from([port]),
        None => targets.ports.iter().map(|probed| probed.port).collect(),
    };
    let (ports, is_known) = reached(&probed, device);
    match (is_known, ports.is_empty()) {
        (true, true) => None,
        (true, false) => Some((Urgency::Now, ports)),
        (false, _) => Some((Urgency::Soon, ports)),
    }
}

/// A probed port that is open on a device of which nothing else is known, or may be on one whose login was
/// left as it came.
fn exposure(targets: &Targets, device: &InventoryDevice) -> Option<Danger> {
    let is_default = device.login_changed == LoginChanged::No;
    let probed = || targets.ports.iter().map(|probed| probed.port).collect();
    let open = device.open_ports.clone().or_else(|| is_default.then(probed))?;
    let (ports, tally) = targets
        .ports
        .iter()
        .filter(|probed| open.contains(&probed.port))
        .map(|probed| (probed.port, &probed.tally))
        .fold((BTreeSet::new(), None::<&Tally>), |(mut ports, most), (port, tally)| {
            ports.insert(port);
            (ports, most.or(Some(tally)))
        });
    Some(Danger {
        urgency: Urgency::Check,
        cause: None,
        ports,
        confidence: Confidence::Low,
        sources: Vec::new(),
        tally: tally?.clone(),
        found_at: Vec::new(),
    })
}

/// What to do, the first thing first.
fn actions(dangers: &[Danger], device: &InventoryDevice) -> Vec<String> {
    let ports: BTreeSet<u16> = dangers.iter().flat_map(|danger| danger.ports.clone()).collect();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let cves: BTreeSet<&str> = dangers
        .iter()
        .filter_map(|danger| match &danger.cause {
            Some(Cause::Exploit { cve, .. }) => Some(cve.iter().map(String::as_str)),
            _ => None,
        })
        .flatten()
        .collect();
    let has = |wanted: fn(&Cause) -> bool| {
        dangers.iter().filter_map(|danger| danger.cause.as_ref()).any(wanted)
    };
    let mut actions = Vec::new();
    if !ports.is_empty() {
        actions.push(format!("close TCP {} to the outside", ports.join(", ")));
    }
    if has(|cause| matches!(cause, Cause::Exploit { .. })) {
        let of = if cves.is_empty() {
            "the request above".to_owned()
        } else {
            cves.into_iter().collect::<Vec<_>>().join(", ")
        };
        let version = match device.firmware.as_str() {
            "" => "its firmware".to_owned(),
            version => format!("firmware {version}"),
        };
        actions.push(format!(
            "compare {version} with the vendor's notice on {of}; replace the device when there is no fix"
        ));
    }
    if has(|cause| matches!(cause, Cause::Credential { .. })) {
        actions.extend(login_action(device));
    }
    if actions.len() == usize::from(!ports.is_empty()) {
        actions.extend(login_action(device));
    }
    actions
}

/// What to do about the login.
fn login_action(device: &InventoryDevice) -> Option<String> {
    let action = match device.login_changed {
        LoginChanged::Yes => return None,
        LoginChanged::No => "set a password of its own",
        LoginChanged::Unknown => "find out whether its login is still the default, and change it",
    };
    Some(action.to_owned())
}

/// Vendors of an inventory that no row of the tables has, whose devices can only be told by open ports, each
/// with how many they are, most first.
#[must_use]
pub fn unknown_vendors(
    knowledge: &Knowledge,
    inventory: &[InventoryDevice],
) -> Vec<(String, usize)> {
    let logins = knowledge.credentials().iter().map(|row| &row.vendor);
    let exploits = knowledge.exploits().iter().map(|row| &row.vendor);
    let known: BTreeSet<String> = logins.chain(exploits).map(|vendor| letters(vendor)).collect();
    let is_unknown = |vendor: &str| letters(vendor).is_empty() || !known.contains(&letters(vendor));
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for device in inventory.iter().filter(|device| is_unknown(&device.vendor)) {
        *unknown.entry(&device.vendor).or_default() += 1;
    }
    let mut unknown: Vec<(String, usize)> =
        unknown.into_iter().map(|(vendor, devices)| (vendor.to_owned(), devices)).collect();
    unknown.sort_by_key(|(_, devices)| Reverse(*devices));
    unknown
}
