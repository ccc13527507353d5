//! Exim, which writes logs of its own. Its package is unpacked, not installed: a machine has one server of mail.

use std::{fs, path::Path, process::Command};

use anyhow::Context;

use super::{
    LOCAL_TIME, Site,
    script::{ACCOUNT, EXIM},
};
use crate::{
    components,
    namespace::Server,
    toolchain::{process, workspace_root},
};

/// Its log.
pub(super) const LOG: &str = "exim-mainlog";

/// The user that its binary was built for; it gets the rights of the system's `mail`, which is always there.
const USER: &str = "Debian-exim:x:8:8::/nonexistent:/bin/false\n";
const GROUP: &str = "Debian-exim:x:8:\n";

pub(super) fn start(site: &Site) -> anyhow::Result<Server> {
    let program = components::exim(&workspace_root())?.display().to_string();
    let (spool, log) = (site.make("exim")?, site.write(&format!("logs/{LOG}"), "")?);
    process::run(Command::new("chown").args(["8:8", &spool, &log]))?;
    let logs = site.logs().display().to_string();
    let (account, password) = ACCOUNT;
    let configuration = site.write(
        "exim.conf",
        &format!(
            "primary_hostname = mail.example\nexim_path = {program}\nspool_directory = {spool}\n\
             log_file_path = {logs}/exim-%slog\nwrite_rejectlog = false\ntimezone = {}\n\
             local_interfaces = {EXIM}\ndaemon_smtp_ports = 25\npid_file_path = {spool}/pid\n\
             tls_advertise_hosts =\nhost_lookup =\nrfc1413_hosts =\nkeep_environment =\n\
             acl_smtp_rcpt = check\nbegin acl\ncheck:\n  accept authenticated = *\n  \
             accept domains = mail.example\n  deny message = relay not permitted\n\
             begin routers\nall:\n  driver = redirect\n  data = :blackhole:\n\
             begin authenticators\nplain:\n  driver = plaintext\n  public_name = PLAIN\n  \
             server_prompts = :\n  server_set_id = $auth2\n  \
             server_condition = ${{if and{{{{eq{{$auth2}}{{{account}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}\n",
            LOCAL_TIME.0
        ),
    )?;
    // Within a mount namespace, so that the machine's users stay what they are.
    let known = |file: &str, line: &str| -> anyhow::Result<String> {
        let path = Path::new("/etc").join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        site.write(&format!("exim.{file}"), &(text + line))
    };
    let (users, groups) = (known("passwd", USER)?, known("group", GROUP)?);
    let script = format!(
        "mount --bind {users} /etc/passwd && mount --bind {groups} /etc/group && \
         exec {program} -C {configuration} -bdf"
    );
    let server = site.serve("exim", "unshare", &["--mount", "sh", "-c", &script])?;
    site.namespace.wait_for(EXIM.parse().context("an address")?, 25)?;
    Ok(server)
}
