//! Daemons that log through syslog: OpenSSH, Dovecot, and Postfix, which asks Dovecot for passwords.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use core::net::IpAddr;

use super::{
    Site,
    script::{ACCOUNT, HOST, MAIL, MAILBOX, SHELL, SYSLOGS},
};
use crate::{
    namespace::{Server, wait_until},
    toolchain::{process, workspace_root},
};

/// Files of Postfix: a queue, and what its programs remember.
const POSTFIX_FOLDERS: [&str; 3] = ["postfix", "queue", "data"];

/// The programs of Postfix that a mail passes.
const MASTER: &str = "smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n\
    qmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n\
    defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nproxymap unix - - n - - proxymap\n\
    error unix - - n - - error\ndiscard unix - - n - - discard\nanvil unix - - n - 1 anvil\n";

pub(super) fn start(site: &Site) -> anyhow::Result<Vec<Server>> {
    // It hears the others, and ends after them.
    let servers = vec![
        start_rsyslog(site)?,
        start_openssh(site)?,
        start_dovecot(site)?,
        start_postfix(site)?,
    ];
    for (address, port) in [(SHELL, 22), (MAILBOX, 143), (MAIL, 25)] {
        let address: IpAddr = address.parse().context("an address")?;
        site.namespace.wait_for(address, port)?;
    }
    Ok(servers)
}

/// Starts a daemon that logs to the socket of [`start_rsyslog`], and whose processes end with it.
pub(super) fn serve(
    site: &Site,
    name: &str,
    program: &str,
    arguments: &[&str],
) -> anyhow::Result<Server> {
    let script = workspace_root().join("xtask/src/producers/own-dev.sh").display().to_string();
    let folder = site.folder.display().to_string();
    let own = ["--mount", "sh", &script, &folder, program];
    site.serve(name, "unshare", &[&own[..], arguments].concat())
}

fn start_rsyslog(site: &Site) -> anyhow::Result<Server> {
    let socket = site.folder.join("log.socket");
    let formats = ["RSYSLOG_TraditionalFileFormat", "RSYSLOG_SyslogProtocol23Format"];
    let files = SYSLOGS.iter().zip(formats).map(|(log, format)| {
        format!("*.* action(type=\"omfile\" file=\"{}\" template=\"{format}\")\n", site.log(log))
    });
    let configuration = site.write(
        "rsyslog.conf",
        &format!(
            "global(localHostname=\"{HOST}\")\n\
             module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{}\" CreatePath=\"off\")\n{}",
            socket.display(),
            files.collect::<String>()
        ),
    )?;
    let identity = site.folder.join("rsyslog.pid").display().to_string();
    let server =
        site.serve("rsyslog", "rsyslogd", &["-n", "-f", &configuration, "-i", &identity])?;
    wait_until("the socket of rsyslog", || Ok(socket.exists()))?;
    Ok(server)
}

fn start_openssh(site: &Site) -> anyhow::Result<Server> {
    let key = |name: &str| -> anyhow::Result<PathBuf> {
        let path = site.folder.join(name);
        let options = ["-q", "-t", "ed25519", "-N", "", "-f"];
        process::run(Command::new("ssh-keygen").args(options).arg(&path))?;
        Ok(path)
    };
    let (host, user) = (key("host-key")?, key("user-key")?);
    let configuration = site.write(
        "sshd.conf",
        &format!(
            "ListenAddress {SHELL}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}.pub\n\
             StrictModes no\nUsePAM yes\nPermitRootLogin yes\n",
            host.display(),
            user.display()
        ),
    )?;
    // It calls itself by its path.
    let program = process::find_program("sshd").context("no sshd")?.display().to_string();
    serve(site, "sshd", &program, &["-D", "-f", &configuration])
}

fn start_dovecot(site: &Site) -> anyhow::Result<Server> {
    let (base, mail) = (site.make("dovecot")?, site.make("mailboxes")?);
    give(Path::new(&mail), "mail")?;
    let (account, password) = ACCOUNT;
    let accounts = site.write("accounts", &format!("{account}:{{PLAIN}}{password}\n"))?;
    let configuration = site.write(
        "dovecot.conf",
        &format!(
            "base_dir = {base}\nstate_dir = {base}\nlisten = {MAILBOX}\nprotocols = imap\nssl = no\n\
             disable_plaintext_auth = no\nauth_mechanisms = plain login\nfirst_valid_uid = 1\n\
             passdb {{\n driver = passwd-file\n args = {accounts}\n}}\n\
             userdb {{\n driver = static\n args = uid=mail gid=mail home={mail}/%u\n}}\n\
             mail_location = maildir:{mail}/%u\n\
             service auth {{\n unix_listener {} {{\n  mode = 0666\n }}\n}}\n",
            passwords(site)
        ),
    )?;
    serve(site, "dovecot", "dovecot", &["-F", "-c", &configuration])
}

/// Where Postfix asks Dovecot.
fn passwords(site: &Site) -> String {
    site.folder.join("passwords.socket").display().to_string()
}

fn start_postfix(site: &Site) -> anyhow::Result<Server> {
    let [configuration, queue, data] = POSTFIX_FOLDERS;
    let (configuration, queue, data) =
        (site.make(configuration)?, site.make(queue)?, site.make(data)?);
    give(Path::new(&data), "postfix")?;
    site.write("postfix/master.cf", MASTER)?;
    site.write(
        "postfix/main.cf",
        &format!(
            "compatibility_level = 3.6\nqueue_directory = {queue}\ndata_directory = {data}\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n\
             mail_owner = postfix\nmyhostname = mail.example\nmydestination = mail.example\n\
             inet_interfaces = {MAIL}\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
             alias_maps =\nalias_database =\nlocal_recipient_maps =\nlocal_transport = discard\n\
             default_transport = discard\ndisable_dns_lookups = yes\nsmtpd_peername_lookup = no\n\
             smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = {}\n\
             smtpd_sasl_security_options =\n\
             smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n",
            passwords(site)
        ),
    )?;
    // Its own check makes the folders of the queue, with their owners.
    let mut check = site.command("postfix");
    process::run(check.args(["-c", &configuration, "check"]))?;
    let master = "/usr/lib/postfix/sbin/master";
    serve(site, "postfix", master, &["-c", &configuration, "-s"])
}

/// Makes a folder somebody's.
fn give(folder: &Path, owner: &str) -> anyhow::Result<()> {
    fs::metadata(folder).with_context(|| format!("{}", folder.display()))?;
    process::run(Command::new("chown").arg(owner).arg(folder)).map(drop)
}
