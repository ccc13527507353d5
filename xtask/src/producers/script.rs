//! Who does what, and what is to be found of it in which log.

use std::{collections::BTreeMap, process::Output};

use anyhow::{Context, ensure};

use super::{
    Site, exim,
    holders::{BY_DHCP, BY_RADIUS},
    names, powerdns, web,
};

/// The address of a C2 that asks and logs in.
pub(super) const ATTACKER: &str = "192.0.2.66";
pub(super) const ATTACKER_V6: &str = "2001:db8:66::66";

/// Where bots connect to.
const C2: (&str, &str) = ("192.0.2.99", "23");

/// Who has a bot, and who has not.
const BOT: &str = BY_RADIUS.0;
const BOT_HOLDER: &str = BY_RADIUS.1;
const OTHER: &str = "10.1.0.3";

/// Where bots get programs from.
pub(super) const LOADER: &str = "198.51.100.9";

/// What the machine of the servers calls itself in syslog.
pub(super) const HOST: &str = "servers";

/// Account of the mail server, and its password.
pub(super) const ACCOUNT: (&str, &str) = ("alice", "correct");

/// Hosts of the servers.
pub(super) const WEB: &str = "10.0.0.80";
pub(super) const WEB_V6: &str = "2001:db8:80::80";
pub(super) const SHELL: &str = "10.0.0.22";
pub(super) const MAIL: &str = "10.0.0.25";
pub(super) const EXIM: &str = "10.0.0.26";
pub(super) const MAILBOX: &str = "10.0.0.143";
pub(super) const APACHE_PORT: u16 = 8080;

/// What is looked for.
pub(super) const INDICATORS: &str = "cnc.bot.example\n192.0.2.66\n2001:db8:66::66\n\
    tcp://192.0.2.99:23\nhttp://198.51.100.9/bins/bot.mips\n";

/// Who else has an address.
pub(super) const LEASES: &str = "address,holder\n10.1.0.3,line-18\n";

/// Logs of flows, and whether they know IPv6.
pub(super) const FLOW_LOGS: [(&str, bool); 4] = [
    ("netflow5.pcap", false),
    ("netflow9.pcap", true),
    ("netflow10.pcap", true),
    ("nfdump.csv", true),
];

/// What is found in one log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) log: String,
    pub(super) event: String,
    pub(super) indicator: String,
    pub(super) field: String,
    pub(super) entity: String,
    /// Empty where the log does not say.
    pub(super) outcome: String,
}

/// How often what is found.
pub(super) type Findings = BTreeMap<Finding, usize>;

/// Does things, and notes what they leave behind.
pub(super) struct Script<'s> {
    site: &'s Site,
    findings: Findings,
}

impl<'s> Script<'s> {
    /// Gives everybody an address.
    pub(super) fn new(site: &'s Site) -> anyhow::Result<Self> {
        let servers = [WEB, SHELL, MAIL, EXIM, MAILBOX, WEB_V6];
        let names = names::SERVERS.iter().chain(&powerdns::SERVERS).map(|(address, _)| address);
        let bots = BY_DHCP.map(|(address, _)| address);
        let others = [BOT, OTHER, ATTACKER_V6];
        for address in servers.iter().chain(names).chain(&bots).chain(&others) {
            site.namespace.add_address(address)?;
        }
        Ok(Self { site, findings: Findings::new() })
    }

    /// Everything, in order; what is to be found.
    pub(super) fn run(mut self) -> anyhow::Result<Findings> {
        for (server, logs) in names::SERVERS.into_iter().chain(powerdns::SERVERS) {
            self.ask(server, logs)?;
        }
        self.ask_from_leased(names::SERVERS[0])?;
        self.browse()?;
        self.connect()?;
        self.log_in_to_shell()?;
        self.read_mail()?;
        self.send_mail_by_postfix()?;
        self.send_mail_by_exim()?;
        Ok(self.findings)
    }

    /// Notes that something is to be found, once more.
    fn note(&mut self, log: &str, what: [&str; 4], outcome: &str) {
        let [event, indicator, field, entity] = what.map(str::to_owned);
        let (log, outcome) = (log.to_owned(), outcome.to_owned());
        *self
            .findings
            .entry(Finding { log, event, indicator, field, entity, outcome })
            .or_default() += 1;
    }

    /// Notes a connection to `server` or from it, as those see it who watch the network.
    fn note_connection(&mut self, indicator: &str, is_client: bool, entity: &str) {
        let sides = ["client", "server"];
        let (there, back) = if is_client { (sides[0], sides[1]) } else { (sides[1], sides[0]) };
        for log in ["capture.pcap", "eve.json"] {
            self.note(log, ["connection", indicator, there, entity], "");
        }
        for (log, _) in FLOW_LOGS.iter().filter(|(_, has_v6)| *has_v6 || !indicator.contains("db8"))
        {
            // Both ways are a flow each.
            for side in [there, back] {
                self.note(log, ["connection", indicator, side, entity], "");
            }
        }
    }

    /// Queries of somebody with a bot, and of others for names that only look alike.
    fn ask(&mut self, server: &str, logs: &[&str]) -> anyhow::Result<()> {
        let asks = |client: &str, query: &[&str]| self.dig(client, server, query);
        asks(OTHER, &["xcnc.bot.example", "A"])?;
        asks(OTHER, &["bot.example", "A"])?;
        asks(OTHER, &["cnc.bot.example.other.example", "A"])?;
        asks(BOT, &["other.example", "A"])?;
        for query in [
            &["cnc.bot.example", "A"][..],
            &["Deep.CNC.Bot.EXAMPLE", "AAAA"],
            &["cnc.bot.example", "TXT", "+tcp"],
        ] {
            asks(BOT, query)?;
        }
        for _ in 0..3 {
            self.note_query(logs, BOT_HOLDER);
        }
        Ok(())
    }

    /// One query of each device that got its address by DHCP.
    fn ask_from_leased(&mut self, (server, logs): (&str, &[&str])) -> anyhow::Result<()> {
        for (client, device) in BY_DHCP {
            self.dig(client, server, &["cnc.bot.example", "A"])?;
            self.note_query(logs, device);
        }
        Ok(())
    }

    fn note_query(&mut self, logs: &[&str], entity: &str) {
        let found = ["dns_query", "cnc.bot.example", "name", entity];
        for log in logs {
            self.note(log, found, "");
        }
        // There and in the answer.
        for log in ["capture.pcap", "eve.json"] {
            self.note(log, found, "");
            self.note(log, found, "success");
        }
    }

    /// A question to a name server, which has to answer.
    fn dig(&self, client: &str, server: &str, query: &[&str]) -> anyhow::Result<()> {
        let server = format!("@{server}");
        let options = ["-b", client, &server, "+tries=1", "+noall", "+comments"];
        let dig = self.site.command("dig").args(options).args(query).output()?;
        let said = String::from_utf8_lossy(&dig.stdout).into_owned();
        ensure!(said.contains("NOERROR"), "{server}: {query:?}: {said}");
        Ok(())
    }

    /// Requests of the attacker to the own servers, and of the bot to a loader.
    fn browse(&mut self) -> anyhow::Result<()> {
        let apache = format!("http://{WEB}:{APACHE_PORT}/none");
        let (found, missing) = (format!("http://{WEB}/"), format!("http://{WEB}/none"));
        for (url, logs, outcome) in [
            (&found, web::NGINX, "success"),
            (&missing, web::NGINX, "failure"),
            (&apache, web::APACHE, "failure"),
        ] {
            self.curl(ATTACKER, &[url])?;
            self.curl(OTHER, &[url])?;
            for log in logs {
                self.note(log, ["web_request", ATTACKER, "client", "unknown"], outcome);
            }
            self.note("eve.json", ["web_request", ATTACKER, "client", WEB], outcome);
            self.note("capture.pcap", ["web_request", ATTACKER, "client", WEB], "");
            self.note_connection(ATTACKER, true, WEB);
        }
        self.curl(ATTACKER_V6, &[&format!("http://[{WEB_V6}]/")])?;
        for log in web::NGINX {
            self.note(log, ["web_request", ATTACKER_V6, "client", "unknown"], "success");
        }
        self.note("eve.json", ["web_request", ATTACKER_V6, "client", WEB_V6], "success");
        self.note("capture.pcap", ["web_request", ATTACKER_V6, "client", WEB_V6], "");
        self.note_connection(ATTACKER_V6, true, WEB_V6);

        let program = format!("{LOADER}/bins/bot.mips");
        self.curl(BOT, &[&format!("http://{program}")])?;
        self.curl(BOT, &[&format!("http://{LOADER}/bins/other")])?;
        self.curl(OTHER, &[&format!("http://{WEB}/bins/bot.mips")])?;
        for log in ["nginx.json", "eve.json"] {
            self.note(log, ["web_request", &program, "url", BOT_HOLDER], "success");
        }
        self.note("capture.pcap", ["web_request", &program, "url", BOT_HOLDER], "");
        Ok(())
    }

    /// Connections that the packet filter logs and refuses.
    fn connect(&mut self) -> anyhow::Result<()> {
        let (address, port) = C2;
        for (client, address, port) in
            [(BOT, address, port), (BOT, address, "24"), (OTHER, "192.0.2.98", port)]
        {
            // Nobody is there, which is its failure.
            self.try_curl(client, &[&format!("telnet://{address}:{port}")])?;
        }
        let indicator = format!("{address}:{port}");
        self.note("firewall.log", ["connection", &indicator, "server", BOT_HOLDER], "");
        self.note_connection(&indicator, false, BOT_HOLDER);
        Ok(())
    }

    fn log_in_to_shell(&mut self) -> anyhow::Result<()> {
        let options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
        let key = self.site.folder.join("user-key");
        let ssh = |client: &str, account: &str| {
            let mut ssh = self.site.command("ssh");
            ssh.args(options.map(|option| ["-o", option]).concat()).args(["-F", "none"]);
            ssh.args(["-b", client, "-i"]).arg(&key).arg(format!("{account}@{SHELL}")).arg("true");
            ssh.output().context("ssh")
        };
        let (known, unknown) = (ssh(ATTACKER, "root")?, ssh(ATTACKER, "nobody-here")?);
        ensure!(known.status.success(), "ssh: {}", String::from_utf8_lossy(&known.stderr));
        ensure!(!unknown.status.success(), "an unknown account may log in");
        ssh(OTHER, "root")?;
        for log in SYSLOGS {
            self.note(log, ["login", ATTACKER, "client", "root"], "success");
            self.note(log, ["connection", ATTACKER, "client", HOST], "");
        }
        for _ in 0..2 {
            self.note_connection(ATTACKER, true, SHELL);
        }
        Ok(())
    }

    fn read_mail(&mut self) -> anyhow::Result<()> {
        let (account, password) = ACCOUNT;
        let url = format!("imap://{MAILBOX}/INBOX");
        let [right, wrong] = [password, "wrong"].map(|it| format!("{account}:{it}"));
        self.curl(ATTACKER, &["--user", &right, &url])?;
        self.curl(OTHER, &["--user", &right, &url])?;
        ensure!(!self.try_curl(ATTACKER, &["--user", &wrong, &url])?.status.success());
        for outcome in ["success", "failure"] {
            for log in SYSLOGS {
                self.note(log, ["login", ATTACKER, "client", account], outcome);
            }
            self.note_connection(ATTACKER, true, MAILBOX);
        }
        Ok(())
    }

    /// Mail of the attacker to the server at `server`: without an account, with one, and with a wrong password;
    /// and of somebody else.
    fn send_mail(&self, server: &str) -> anyhow::Result<()> {
        let (account, password) = ACCOUNT;
        let [right, wrong] = [password, "wrong"].map(|it| format!("{account}:{it}"));
        let mail = self.site.write("mail", "Subject: none\r\n\r\nnothing\r\n")?;
        let url = format!("smtp://{server}");
        let from = ["--mail-from", "cnc.bot.example@other.example", "--upload-file", &mail, &url];
        let within = ["--mail-rcpt", "bob@mail.example"];
        let outside = ["--mail-rcpt", "bob@elsewhere.example", "--user", &right];
        self.curl(ATTACKER, &[&from[..], &within].concat())?;
        self.curl(ATTACKER, &[&from[..], &outside].concat())?;
        let refused =
            self.try_curl(ATTACKER, &[&from[..], &within, &["--user", &wrong]].concat())?;
        ensure!(!refused.status.success(), "a wrong password is taken");
        self.curl(OTHER, &[&from[..], &within].concat())
    }

    fn send_mail_by_postfix(&mut self) -> anyhow::Result<()> {
        self.send_mail(MAIL)?;
        for log in SYSLOGS {
            self.note(log, ["mail", ATTACKER, "client", HOST], "");
            self.note(log, ["login", ATTACKER, "client", ACCOUNT.0], "success");
            self.note(log, ["login", ATTACKER, "client", ACCOUNT.0], "failure");
            for _ in 0..3 {
                self.note(log, ["connection", ATTACKER, "client", HOST], "");
            }
        }
        for _ in 0..3 {
            self.note_connection(ATTACKER, true, MAIL);
        }
        Ok(())
    }

    fn send_mail_by_exim(&mut self) -> anyhow::Result<()> {
        self.send_mail(EXIM)?;
        let refused = ["--mail-from", "a@other.example", "--mail-rcpt", "bob@elsewhere.example"];
        let mail = self.site.folder.join("mail").display().to_string();
        let url = format!("smtp://{EXIM}");
        let refused =
            self.try_curl(ATTACKER, &[&refused[..], &["--upload-file", &mail, &url]].concat())?;
        ensure!(!refused.status.success(), "mail is relayed for everybody");
        self.note(exim::LOG, ["mail", ATTACKER, "client", "unknown"], "");
        self.note(exim::LOG, ["mail", ATTACKER, "client", "unknown"], "failure");
        self.note(exim::LOG, ["login", ATTACKER, "client", ACCOUNT.0], "success");
        self.note(exim::LOG, ["login", ATTACKER, "client", ACCOUNT.0], "failure");
        for _ in 0..4 {
            self.note_connection(ATTACKER, true, EXIM);
        }
        Ok(())
    }

    /// A transfer from an address, which has to come about.
    fn curl(&self, client: &str, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.try_curl(client, arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "curl {arguments:?} of {client}: {said}");
        Ok(())
    }

    fn try_curl(&self, client: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        let mut curl = self.site.command("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", "--interface", client]);
        curl.args(arguments).output().context("curl")
    }
}

/// Both forms in which rsyslog writes what daemons log.
pub(super) const SYSLOGS: [&str; 2] = ["syslog.log", "syslog-5424.log"];
