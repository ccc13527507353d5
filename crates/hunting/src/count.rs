//! Attack accesses: who from outside reached for own devices, by device and day, port and source network,
//! with their trend.
//!
//! An access is a connection from an address that is not one's own to one that is. That is what a sensor
//! or a firewall's log of refused packets sees; in a log of all connections, visitors of one's own servers
//! are counted, too, so ports that serve the public are to be left out by giving the devices alone.
//! A repeated packet is an access of its own where the log has a line for each.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde::Serialize;

use core::net::IpAddr;

use crate::event::{Event, Field, Kind};
use crate::indicators::Indicators;
use crate::time::{DAY, Moment};

/// Source networks that are told apart; what comes from others after that is in the sums alone.
const MOST: usize = 1 << 20;

/// Days whose mean is compared with that of as many before.
const TREND: usize = 7;

/// A count of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// All of one day: `per_device` is the mean over the devices that were reached on any day.
    Day {
        /// Midnight in UTC.
        day: Moment,
        /// Accesses.
        accesses: u64,
        /// Of these, from an indicator.
        known: u64,
        /// Accesses for each device.
        per_device: f64,
    },
    /// Of one device on one day.
    Device {
        /// Its address.
        device: IpAddr,
        /// Midnight in UTC.
        day: Moment,
        /// Accesses.
        accesses: u64,
    },
    /// At one port.
    Port {
        /// The port.
        port: u16,
        /// Accesses.
        accesses: u64,
    },
    /// From one network: a /24, of IPv6 a /48.
    Network {
        /// The network.
        network: IpNet,
        /// Accesses.
        accesses: u64,
    },
    /// From one botnet on one day: from indicators whose source names it. An address that several share
    /// counts for each.
    Botnet {
        /// Its family and configuration: see [`Indicator::botnets`](crate::indicators::Indicator).
        botnet: String,
        /// Midnight in UTC.
        day: Moment,
        /// Accesses.
        accesses: u64,
    },
    /// From one botnet on all days.
    BotnetTotal {
        /// Its family and configuration.
        botnet: String,
        /// Accesses.
        accesses: u64,
        /// As of all.
        trend: Option<f64>,
    },
    /// From one indicator.
    Indicator {
        /// Its value.
        indicator: String,
        /// Accesses.
        accesses: u64,
    },
    /// All.
    Total {
        /// Accesses.
        accesses: u64,
        /// Devices that were reached.
        devices: usize,
        /// Days from the first to the last.
        days: i64,
        /// Accesses for each device and day.
        per_device_and_day: f64,
        /// The mean of the last seven days by that of the seven before; none with fewer days.
        trend: Option<f64>,
    },
}

/// The counts.
#[derive(Debug)]
pub struct Counts<'i> {
    own: Vec<IpNet>,
    indicators: &'i Indicators,
    days: BTreeMap<i64, (u64, u64)>,
    devices: BTreeMap<(IpAddr, i64), u64>,
    ports: BTreeMap<u16, u64>,
    networks: BTreeMap<IpNet, u64>,
    known: BTreeMap<String, u64>,
    botnets: BTreeMap<(Box<str>, i64), u64>,
}

impl<'i> Counts<'i> {
    /// Of accesses to devices in these networks; sources are looked up among the indicators, which are
    /// sealed.
    #[must_use]
    pub const fn new(own: Vec<IpNet>, indicators: &'i Indicators) -> Self {
        Self {
            own,
            indicators,
            days: BTreeMap::new(),
            devices: BTreeMap::new(),
            ports: BTreeMap::new(),
            networks: BTreeMap::new(),
            known: BTreeMap::new(),
            botnets: BTreeMap::new(),
        }
    }

    /// Looks at an event. Those without a time are on no day and are passed over.
    pub fn look(&mut self, event: &Event<'_>) {
        let sides = event.client.zip(event.server).zip(event.time);
        let Some(((client, server), time)) = sides else { return };
        let is_own = |address: IpAddr| self.own.iter().any(|network| network.contains(&address));
        if event.kind != Kind::Connection || is_own(client) || !is_own(server) {
            return;
        }
        let day = time.unix().div_euclid(DAY);
        let mut is_known = false;
        // An address and its network may name the same botnet: it is one access.
        let mut of = BTreeSet::new();
        let (indicators, known) = (self.indicators, &mut self.known);
        indicators.find(event, &mut |field, number| {
            let indicator = indicators.get(number).filter(|it| it.validity.holds(event.time));
            if let Some(indicator) = indicator.filter(|_| field == Field::Client) {
                is_known = true;
                *known.entry(indicator.value.to_string()).or_default() += 1;
                of.extend(&indicator.botnets);
            }
        });
        of.into_iter().for_each(|botnet| bounded(&mut self.botnets, (botnet.clone(), day)));
        let of_day = self.days.entry(day).or_default();
        of_day.0 += 1;
        of_day.1 += u64::from(is_known);
        bounded(&mut self.devices, (server, day));
        event.port.into_iter().for_each(|port| *self.ports.entry(port).or_default() += 1);
        bounded(&mut self.networks, network_of(client));
    }

    /// All counts: the total, then days, devices, and ports, networks, botnets and indicators with the
    /// most first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let mut devices: Vec<IpAddr> = self.devices.keys().map(|(device, _)| *device).collect();
        devices.dedup();
        let accesses: u64 = self.days.values().map(|(all, _)| all).sum();
        let ends = self.days.keys().next().zip(self.days.keys().next_back());
        let days = ends.map_or(0, |(first, last)| last - first + 1);
        let per_device =
            |count: f64| if devices.is_empty() { 0.0 } else { count / devices.len() as f64 };
        let per_day = if days == 0 { 0.0 } else { accesses as f64 / days as f64 };
        let moment = |day: i64| Moment::from_unix(day * DAY);
        let mut lines = vec![Line::Total {
            accesses,
            devices: devices.len(),
            days,
            per_device_and_day: per_device(per_day),
            trend: self.trend(|day| self.days.get(&day).map_or(0, |(all, _)| *all)),
        }];
        lines.extend(self.days.iter().map(|(day, (accesses, known))| {
            let per_device = per_device(*accesses as f64);
            Line::Day { day: moment(*day), accesses: *accesses, known: *known, per_device }
        }));
        lines.extend(self.devices.iter().map(|((device, day), accesses)| Line::Device {
            device: *device,
            day: moment(*day),
            accesses: *accesses,
        }));
        let ports = most(&self.ports).into_iter();
        lines.extend(ports.map(|(port, accesses)| Line::Port { port: *port, accesses }));
        let networks = most(&self.networks).into_iter();
        lines.extend(
            networks.map(|(network, accesses)| Line::Network { network: *network, accesses }),
        );
        lines.extend(self.of_botnets());
        let known = most(&self.known).into_iter();
        lines.extend(known.map(|(indicator, accesses)| Line::Indicator {
            indicator: indicator.clone(),
            accesses,
        }));
        lines
    }

    /// Of each botnet the total and the days.
    fn of_botnets(&self) -> Vec<Line> {
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        for ((botnet, _), accesses) in &self.botnets {
            *totals.entry(botnet).or_default() += accesses;
        }
        let lines = most(&totals).into_iter().flat_map(|(botnet, accesses)| {
            let on = |day: i64| self.botnets.get(&(Box::from(*botnet), day)).copied();
            let trend = self.trend(|day| on(day).unwrap_or_default());
            let total = Line::BotnetTotal { botnet: (*botnet).to_owned(), accesses, trend };
            let days = self.days.keys().filter_map(|day| {
                let day_of = Moment::from_unix(day * DAY);
                let (botnet, accesses) = ((*botnet).to_owned(), on(*day)?);
                Some(Line::Botnet { botnet, day: day_of, accesses })
            });
            core::iter::once(total).chain(days).collect::<Vec<_>>()
        });
        lines.collect()
    }

    /// The trend of what `on` says of each day. The first and the last day are cut off by the log, and are
    /// left out.
    fn trend(&self, on: impl Fn(i64) -> u64) -> Option<f64> {
        let (first, last) = self.days.keys().next().zip(self.days.keys().next_back())?;
        let whole: Vec<f64> = (first + 1..*last).map(|day| on(day) as f64).collect();
        let from = whole.len().checked_sub(2 * TREND)?;
        let (before, now) = whole.get(from..)?.split_at_checked(TREND)?;
        let before: f64 = before.iter().sum();
        (before > 0.0).then(|| now.iter().sum::<f64>() / before)
    }
}

fn bounded<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    if counts.len() < MOST || counts.contains_key(&key) {
        *counts.entry(key).or_default() += 1;
    }
}

fn most<K: Ord>(counts: &BTreeMap<K, u64>) -> Vec<(&K, u64)> {
    let mut counts: Vec<(&K, u64)> = counts.iter().map(|(key, count)| (key, *count)).collect();
    counts.sort_by_key(|(_, count)| core::cmp::Reverse(*count));
    counts
}

fn network_of(address: IpAddr) -> IpNet {
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, length).map_or_else(|_| IpNet::from(address), |network| network.trunc())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::indicators::{Indicator, Validity, Value};

    fn access(day: i64, client: &str, server: &str, port: u16) -> Event<'static> {
        Event {
            client: client.parse().ok(),
            server: server.parse().ok(),
            port: Some(port),
            ..Event::new(Kind::Connection, Some(Moment::from_unix(day * DAY + 5)))
        }
    }

    fn lines(events: &[Event<'_>]) -> Vec<Line> {
        let mut indicators = Indicators::default();
        let value = Value::parse("203.0.113.9").unwrap();
        let validity = Validity::default();
        indicators.insert(Indicator { validity, ..Indicator::from(value) });
        indicators.seal();
        let mut counts = Counts::new(vec!["192.0.2.0/24".parse().unwrap()], &indicators);
        events.iter().for_each(|event| counts.look(event));
        counts.lines()
    }

    #[test]
    fn accesses_from_outside_to_own_devices() {
        let lines = lines(&[
            access(0, "203.0.113.9", "192.0.2.1", 23),
            access(0, "203.0.113.10", "192.0.2.1", 23),
            access(1, "203.0.113.9", "192.0.2.2", 80),
            // Own to own, own to outside, outside to outside, no connection.
            access(1, "192.0.2.1", "192.0.2.2", 23),
            access(1, "192.0.2.1", "203.0.113.9", 23),
            access(1, "203.0.113.9", "198.51.100.1", 23),
            Event { kind: Kind::DnsQuery, ..access(1, "203.0.113.9", "192.0.2.1", 53) },
        ]);
        let day = |day: i64| Moment::from_unix(day * DAY);
        let device = |text: &str| text.parse::<IpAddr>().unwrap();
        let network = "203.0.113.0/24".parse().unwrap();
        let expected = [
            Line::Total { accesses: 3, devices: 2, days: 2, per_device_and_day: 0.75, trend: None },
            Line::Day { day: day(0), accesses: 2, known: 1, per_device: 1.0 },
            Line::Day { day: day(1), accesses: 1, known: 1, per_device: 0.5 },
            Line::Device { device: device("192.0.2.1"), day: day(0), accesses: 2 },
            Line::Device { device: device("192.0.2.2"), day: day(1), accesses: 1 },
            Line::Port { port: 23, accesses: 2 },
            Line::Port { port: 80, accesses: 1 },
            Line::Network { network, accesses: 3 },
            Line::Indicator { indicator: "203.0.113.9".to_owned(), accesses: 2 },
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn botnets_are_those_that_indicators_name() {
        let mut indicators = Indicators::default();
        for (value, botnets) in [
            ("203.0.113.9", &["mirai/aa", "mirai/bb"][..]),
            ("203.0.113.0/24", &["mirai/aa"]),
            ("198.51.100.1", &[]),
        ] {
            let value = Value::parse(value).unwrap();
            let botnets = botnets.iter().copied().map(Box::from).collect();
            indicators.insert(Indicator { botnets, ..Indicator::from(value) });
        }
        indicators.seal();
        let mut counts = Counts::new(vec!["192.0.2.0/24".parse().unwrap()], &indicators);
        for day in 0..16 {
            counts.look(&access(day, "203.0.113.9", "192.0.2.1", 23));
            counts.look(&access(day, "203.0.113.8", "192.0.2.1", 23));
            counts.look(&access(day, "198.51.100.1", "192.0.2.1", 23));
        }
        counts.look(&access(9, "203.0.113.9", "192.0.2.1", 23));
        let lines = counts.lines();
        let totals: Vec<&Line> =
            lines.iter().filter(|line| matches!(line, Line::BotnetTotal { .. })).collect();
        let total = |botnet: &str, accesses, trend| Line::BotnetTotal {
            botnet: botnet.to_owned(),
            accesses,
            trend: Some(trend),
        };
        let expected = [total("mirai/aa", 33, 15.0 / 14.0), total("mirai/bb", 17, 8.0 / 7.0)];
        assert_eq!(totals, expected.iter().collect::<Vec<_>>());
        let day = Moment::from_unix(9 * DAY);
        let of_day = Line::Botnet { botnet: "mirai/aa".to_owned(), day, accesses: 3 };
        assert!(lines.contains(&of_day));
    }

    #[test]
    fn the_trend_is_of_whole_weeks() {
        // A day that is cut off, a week of ten a day, a week of fifteen, a day that is cut off.
        let of_day = |day: i64| match day {
            0 | 15 => 1,
            1..=7 => 10,
            _ => 15,
        };
        let events: Vec<_> = (0..16)
            .flat_map(|day| {
                (0..of_day(day)).map(move |_| access(day, "203.0.113.9", "192.0.2.1", 23))
            })
            .collect();
        let trend = |lines: &[Line]| match lines[0] {
            Line::Total { trend, .. } => trend,
            _ => panic!("no total"),
        };
        assert_eq!(trend(&lines(&events)), Some(1.5));
        assert_eq!(trend(&lines(&events[..20])), None);
        assert_eq!(lines(&[]).len(), 1);
    }
}
