//! An incident at a mail service, made from numbers: accounts, contracts, months of logs with daily and
//! weekly rhythm, what an attacker did in them, and a log that was lost for a week.
//!
//! Everything follows from the numbers of [`Size`]; nothing is drawn elsewhere.

use std::io::{self, Write};

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// 1 January 2026, a Thursday, at midnight in UTC: when the logs begin.
pub const BEGINS: i64 = 1_767_225_600;

/// Mail servers and web servers, each with a part of the accounts.
pub const SHARDS: u64 = 8;

/// The web server whose log was lost, and on which days.
pub const LOST: (u64, std::ops::Range<i64>) = (3, 100..107);

/// Where the attacker comes from.
pub const ATTACKERS: [&str; 4] =
    ["203.0.113.9", "203.0.113.77", "203.0.113.130", "2001:db8:bad::7"];

/// What is on no list: entity, behaviour and the day on which it begins.
pub const BEHAVIOURS: [(&str, &str, i64); 5] = [
    ("10.0.0.66", "scanning", 50),
    ("10.0.0.77", "beaconing", 60),
    ("guessed@k0.example", "guessing", 70),
    ("203.0.113.201", "many_accounts", 75),
    ("habit@k0.example", "first_network", 90),
];

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Accounts.
    pub accounts: u64,
    /// Contracts that they belong to.
    pub contracts: u64,
    /// Accounts whose credentials were used.
    pub touched: u64,
    /// Contracts of these.
    pub touched_contracts: u64,
    /// Contracts of these whose mail was read.
    pub mail_contracts: u64,
    /// Contracts with an account whose credentials for third parties were read.
    pub key_contracts: u64,
    /// Days.
    pub days: i64,
    /// Records of ordinary use a day.
    pub daily: u64,
}

/// That of the issue: what became known of an intrusion into a mail service.
pub const WHOLE: Size = Size {
    accounts: 4_070_000,
    contracts: 6_493,
    touched: 311_288,
    touched_contracts: 132,
    mail_contracts: 6,
    key_contracts: 488,
    days: 243,
    daily: 60_000,
};

/// What was touched, by account and class of data.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// Accounts whose credentials were used.
    pub credentials: Vec<u64>,
    /// Accounts whose mail was read.
    pub mail: Vec<u64>,
    /// Accounts whose credentials for third parties were read.
    pub keys: Vec<u64>,
}

/// The world.
#[derive(Clone, Debug)]
pub struct World {
    /// How large it is.
    pub size: Size,
    /// Where the accounts of each contract begin, and at last where they end.
    starts: Vec<u64>,
    /// What was touched.
    pub truth: Truth,
}

/// A number that looks drawn (SplitMix64).
pub const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// What is written into a source besides ordinary use: second since the beginning, account, and whether
/// it went well.
type Planted = Vec<(i64, u64, bool)>;

impl World {
    /// The world of that size.
    pub fn new(size: Size) -> Self {
        let starts = starts(size);
        let mut world = Self { size, starts, truth: Truth::default() };
        world.truth = world.touched();
        world
    }

    /// The contract of an account.
    pub fn contract(&self, account: u64) -> u64 {
        self.starts.partition_point(|start| *start <= account) as u64 - 1
    }

    /// What an account is called.
    pub fn name(&self, account: u64) -> String {
        format!("u{account}@k{}.example", self.contract(account))
    }

    /// The classes that an account holds.
    fn classes(&self, account: u64) -> &'static str {
        match account.is_multiple_of(5) || self.truth.keys.binary_search(&account).is_ok() {
            true => "credentials;mail;third_party",
            false => "credentials;mail",
        }
    }

    fn accounts_of(&self, contract: u64) -> std::ops::Range<u64> {
        self.starts[contract as usize]..self.starts[contract as usize + 1]
    }

    fn touched(&self) -> Truth {
        let size = self.size;
        let contracts: Vec<u64> = (0..size.touched_contracts).map(|place| place * 3).collect();
        let held: u64 = contracts.iter().map(|it| self.accounts_of(*it).count() as u64).sum();
        let mut truth = Truth::default();
        let mut left = size.touched;
        for (place, contract) in contracts.iter().enumerate() {
            let accounts = self.accounts_of(*contract);
            let behind = (contracts.len() - place - 1) as u64;
            let share = (accounts.end - accounts.start) * size.touched / held;
            let take = share.clamp(1, left.saturating_sub(behind).max(1));
            let take = if behind == 0 { left } else { take };
            let end = (accounts.start + take).min(accounts.end);
            truth.credentials.extend(accounts.start..end);
            if (place as u64) < size.mail_contracts {
                truth.mail.extend((accounts.start..end).step_by(2));
            }
            left -= end - accounts.start;
        }
        // What rounding left goes to the largest contract.
        let first = self.accounts_of(0);
        let there = truth.credentials.iter().filter(|it| first.contains(it)).count() as u64;
        truth.credentials.extend(first.start + there..first.start + there + left);
        let step = size.contracts / size.key_contracts;
        truth.keys = (0..size.key_contracts).map(|it| self.starts[(it * step) as usize]).collect();
        for list in [&mut truth.credentials, &mut truth.mail, &mut truth.keys] {
            list.sort_unstable();
        }
        truth
    }

    /// The table of accounts.
    pub fn write_accounts(&self, into: &mut impl Write) -> io::Result<()> {
        writeln!(into, "account,contract,data_classes,sources")?;
        for account in 0..self.size.accounts {
            let (contract, shard) = (self.contract(account), account % SHARDS);
            let (name, classes) = (self.name(account), self.classes(account));
            writeln!(into, "{name},k{contract},{classes},imap-{shard};web-{shard}")?;
        }
        Ok(())
    }

    /// What reads which class.
    pub const RULES: &'static str = "data_class,event,url\n\
        credentials,login,\n\
        mail,web_request,/mail/\n\
        third_party,web_request,/settings/external\n";

    /// A mail server's log of logins.
    pub fn write_imap(&self, shard: u64, into: &mut impl Write) -> io::Result<()> {
        let mut planted: Planted = Vec::new();
        for account in self.truth.credentials.iter().filter(|it| *it % SHARDS == shard) {
            planted.push((self.when(*account, 1), *account, true));
        }
        // Accounts that were tried in vain.
        for number in 0..self.size.touched / 20 {
            let account = mixed(number ^ 0xfa11) % self.size.accounts;
            if account % SHARDS == shard {
                planted.push((self.when(account, 2), account, false));
            }
        }
        let daily = self.size.daily * 6 / 10 / SHARDS;
        let mut others = behaving(shard, self.size.days);
        let mut others = others.drain(..).peekable();
        self.write(shard, daily, planted, |second, draw, attack| {
            let (account, client, is_good) = match attack {
                Some((account, is_good)) => (account, attacker(account), is_good),
                None => {
                    let account = self.user(draw, shard);
                    (account, home(account, draw), draw % 50 != 0)
                }
            };
            while let Some((second, client, name, is_good)) = others.next_if(|it| it.0 <= second) {
                imap_line(into, shard, second, &name, client, is_good)?;
            }
            let name = self.name(account);
            imap_line(into, shard, second, &name, &client, is_good)
        })
    }

    /// A packet filter's log of connections from inside: devices, of which one scans and one comes back to
    /// one destination by a timer.
    pub fn write_firewall(&self, into: &mut impl Write) -> io::Result<()> {
        let ((scanner, _, scan_day), (beacon, _, beacon_day)) = (BEHAVIOURS[0], BEHAVIOURS[1]);
        let mut others: Vec<(i64, String)> = Vec::new();
        for number in 0..200 {
            let second = scan_day * DAY + 3 * 3600 + number * 3;
            let draw = mixed(number as u64) as u32;
            let host = core::net::Ipv4Addr::from_bits(draw | 1 << 31);
            others.push((
                second,
                format!("SRC={scanner} DST={host} LEN=60 PROTO=TCP SPT=4 DPT=23 SYN"),
            ));
        }
        for number in 0..(self.size.days - beacon_day) * DAY / 300 {
            let second = beacon_day * DAY + number * 300 + number % 3;
            others.push((
                second,
                format!("SRC={beacon} DST=203.0.113.200 LEN=60 PROTO=TCP SPT=4 DPT=48101 SYN"),
            ));
        }
        others.sort_unstable();
        let mut others = others.into_iter().peekable();
        let mut line = |second: i64, packet: &str| {
            let time = syslog(second);
            writeln!(into, "{time} gate kernel: [88.2] fw: IN=lan OUT=wan {packet}")
        };
        self.write(98, self.size.daily / 5, Vec::new(), |second, draw, _| {
            while let Some((second, packet)) = others.next_if(|it| it.0 <= second) {
                line(second, &packet)?;
            }
            let (device, site) = (1 + draw % 250, mixed(draw) % 4000);
            let port = [443, 443, 443, 80, 53, 993, 123, 22][(mixed(draw ^ 5) % 8) as usize];
            let packet = format!(
                "SRC=10.0.1.{device} DST=198.18.{}.{} LEN=60 PROTO=TCP SPT=4 DPT={port} SYN",
                site / 250,
                site % 250
            );
            line(second, &packet)
        })
    }

    /// A web mail server's log of requests.
    pub fn write_web(&self, shard: u64, into: &mut impl Write) -> io::Result<()> {
        let mut planted: Planted = Vec::new();
        for account in self.truth.mail.iter().filter(|it| *it % SHARDS == shard) {
            planted.push((self.when(*account, 3), *account, true));
        }
        for account in self.truth.keys.iter().filter(|it| *it % SHARDS == shard) {
            planted.push((self.when(*account, 4), *account, false));
        }
        let daily = self.size.daily * 3 / 10 / SHARDS;
        self.write(shard + SHARDS, daily, planted, |second, draw, attack| {
            if shard == LOST.0 && LOST.1.contains(&(second / DAY)) {
                return Ok(());
            }
            let (account, client, is_mail) = match attack {
                Some((account, is_mail)) => (account, attacker(account), is_mail),
                None => {
                    let account = self.user(draw, shard);
                    (account, home(account, draw), draw % 20 != 0)
                }
            };
            let (time, name) = (common(second), self.name(account));
            let path = if is_mail { "/mail/read?id=7" } else { "/settings/external" };
            writeln!(
                into,
                "{client} - {name} [{time}] \"GET {path} HTTP/1.1\" 200 512 \"-\" \"agent\""
            )
        })
    }

    /// A resolver's log of queries.
    pub fn write_dns(&self, into: &mut impl Write) -> io::Result<()> {
        self.write(99, self.size.daily / 10, Vec::new(), |second, draw, _| {
            let (time, client, site) = (bind(second), 1 + draw % 200, mixed(draw) % 5000);
            writeln!(into, "{time} queries: info: client @0x7f 198.51.100.{client}#4100 (www.s{site}.example): query: www.s{site}.example IN A + (192.0.2.53)")
        })
    }

    /// When an account is touched: after day 40, at any hour, never on a day whose log was lost.
    fn when(&self, account: u64, salt: u64) -> i64 {
        let draw = mixed(account ^ (salt << 56));
        let first = (self.size.days / 6).min(40);
        let day = first + (draw % (self.size.days - first - 2) as u64) as i64;
        let day = if LOST.1.contains(&day) { LOST.1.end } else { day };
        day * DAY + (mixed(draw) % DAY as u64) as i64
    }

    /// Somebody whose account is on this shard; some use theirs more than others.
    fn user(&self, draw: u64, shard: u64) -> u64 {
        let all = self.size.accounts / SHARDS;
        let few = mixed(draw) % all;
        let account = if draw.is_multiple_of(3) { few } else { few % (all / 10).max(1) };
        account * SHARDS + shard
    }

    /// Ordinary use, with what is planted in between, in order: `line` gets the second since the
    /// beginning, a number that looks drawn, and what is planted.
    fn write(
        &self,
        source: u64,
        daily: u64,
        mut planted: Planted,
        mut line: impl FnMut(i64, u64, Option<(u64, bool)>) -> io::Result<()>,
    ) -> io::Result<()> {
        planted.sort_unstable();
        let mut planted = planted.into_iter().peekable();
        for hour in 0..self.size.days * 24 {
            let count = (daily as f64 * share_of(hour)).round() as u64;
            for number in 0..count {
                let draw = mixed(mixed(source << 40 | hour as u64) ^ number);
                let within = (number * 3600 + draw % 3600) / count;
                let second = hour * 3600 + within as i64;
                while let Some((second, account, is_good)) = planted.next_if(|it| it.0 <= second) {
                    line(second, 0, Some((account, is_good)))?;
                }
                line(second, draw, None)?;
            }
        }
        planted.try_for_each(|(second, account, is_good)| line(second, 0, Some((account, is_good))))
    }
}

/// Where the accounts of each contract begin: few contracts have most accounts.
fn starts(size: Size) -> Vec<u64> {
    let weight = |contract: u64| 1.0 / (contract as f64 + 20.0);
    let all: f64 = (0..size.contracts).map(weight).sum();
    let spread = (size.accounts - size.contracts) as f64;
    let mut sizes: Vec<u64> =
        (0..size.contracts).map(|it| 1 + (spread * weight(it) / all) as u64).collect();
    sizes[0] += size.accounts - sizes.iter().sum::<u64>();
    let mut starts = vec![0];
    for count in sizes {
        starts.push(starts.last().copied().unwrap_or_default() + count);
    }
    starts
}

/// The part of a day's records that an hour has: more by day than by night, less at weekends.
fn share_of(hour: i64) -> f64 {
    const OF_DAY: [f64; 24] = [
        1.0, 0.7, 0.5, 0.5, 0.5, 0.8, 2.0, 4.0, 6.0, 7.0, 7.0, 7.0, 6.0, 7.0, 7.0, 7.0, 7.0, 6.0,
        5.0, 4.0, 4.0, 4.0, 3.0, 2.0,
    ];
    // The first day is a Thursday.
    let is_weekend = matches!((hour / 24 + 3) % 7, 5 | 6);
    let scale = if is_weekend { 0.4 } else { 1.0 };
    OF_DAY[(hour % 24) as usize] / OF_DAY.iter().sum::<f64>() * scale
}

fn attacker(account: u64) -> String {
    ATTACKERS[(mixed(account) % ATTACKERS.len() as u64) as usize].to_owned()
}

/// What a mail server's log has of accounts that behave strangely: second, client, account and whether it
/// went well; in order.
fn behaving(shard: u64, days: i64) -> Vec<(i64, &'static str, String, bool)> {
    let [.., (guessed, _, guess_day), (many, _, many_day), (habit, _, habit_day)] = BEHAVIOURS;
    let mut lines = Vec::new();
    match shard {
        0 => {
            for number in 0..15 {
                let second = guess_day * DAY + 4 * 3600 + number * 20;
                lines.push((second, "203.0.113.203", guessed.to_owned(), number == 14));
            }
            for number in 0..30 {
                let second = many_day * DAY + 5 * 3600 + number * 40;
                lines.push((second, many, format!("v{number}@k0.example"), true));
            }
        }
        1 => {
            for (day, hour) in (0..days).flat_map(|day| [(day, 9), (day, 17)]) {
                lines.push((day * DAY + hour * 3600, "10.1.1.1", habit.to_owned(), true));
            }
            let second = habit_day * DAY + 3 * 3600;
            lines.push((second, "203.0.113.202", habit.to_owned(), true));
            lines.sort_unstable();
        }
        _ => {}
    }
    lines
}

fn imap_line(
    into: &mut impl Write,
    shard: u64,
    second: i64,
    name: &str,
    client: &str,
    is_good: bool,
) -> io::Result<()> {
    let time = syslog(second);
    let told = match is_good {
        true => "Login",
        false => "Disconnected: Connection closed (auth failed, 1 attempts in 2 secs)",
    };
    writeln!(
        into,
        "{time} imap-{shard} dovecot: imap-login: {told}: user=<{name}>, method=PLAIN, rip={client}, \
         lip=192.0.2.{shard}, mpid=7, TLS"
    )
}

/// An address of the user's: at home, or now and then on the way.
fn home(account: u64, draw: u64) -> String {
    if mixed(draw).is_multiple_of(50) {
        // A network of mobile telephones.
        return format!("100.{}.{}.{}", 64 + draw % 4, draw >> 8 & 255, draw >> 16 & 255);
    }
    let place = if draw.is_multiple_of(9) { mixed(account) + draw % 3 } else { mixed(account) };
    format!("10.{}.{}.{}", place >> 16 & 255, place >> 8 & 255, place & 255)
}

/// Year, month, day of the month, and seconds of the day.
fn date(second: i64) -> (usize, i64, i64) {
    const DAYS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let (mut day, mut month) = (second / DAY, 0);
    while day >= DAYS[month] {
        day -= DAYS[month];
        month += 1;
    }
    (month, day + 1, second % DAY)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn clock(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn syslog(second: i64) -> String {
    let (month, day, seconds) = date(second);
    format!("{} {day:2} {}", MONTHS[month], clock(seconds))
}

fn common(second: i64) -> String {
    let (month, day, seconds) = date(second);
    format!("{day:02}/{}/2026:{} +0000", MONTHS[month], clock(seconds))
}

fn bind(second: i64) -> String {
    let (month, day, seconds) = date(second);
    format!("{day:02}-{}-2026 {}.000", MONTHS[month], clock(seconds))
}
