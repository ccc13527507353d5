//! Web servers.

use anyhow::Context;

use super::{
    Site,
    script::{APACHE_PORT, LOADER, WEB},
};
use crate::namespace::Server;

/// Where nginx logs, in its own format and as JSON.
pub(super) const NGINX: &[&str] = &["nginx.log", "nginx.json"];

/// Where Apache logs.
pub(super) const APACHE: &[&str] = &["apache.log"];

/// Where Debian has the modules.
const MODULES: &str = "/usr/lib/apache2/modules";

pub(super) fn start(site: &Site) -> anyhow::Result<Vec<Server>> {
    let pages = site.make("pages/bins")?;
    for page in ["pages/index.html", "pages/bins/bot.mips", "pages/bins/other"] {
        site.write(page, "nothing\n")?;
    }
    let pages = pages.trim_end_matches("/bins");
    let servers = vec![start_nginx(site, pages)?, start_apache(site, pages)?];
    for port in [80, APACHE_PORT] {
        site.namespace.wait_for(WEB.parse().context("an address")?, port)?;
    }
    Ok(servers)
}

fn start_nginx(site: &Site, pages: &str) -> anyhow::Result<Server> {
    let folder = site.folder.display();
    let json = r#"'{"time":"$time_iso8601","remote_addr":"$remote_addr","request":"$request",'
        '"status":$status,"http_host":"$http_host","http_user_agent":"$http_user_agent"}'"#;
    let configuration = site.write(
        "nginx.conf",
        &format!(
            "daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.errors;\n\
             events {{ }}\nhttp {{\n log_format as_json escape=json {json};\n\
             access_log {} combined;\n access_log {} as_json;\n\
             server {{ listen {WEB}:80; listen {LOADER}:80; listen [::]:80 ipv6only=on; root {pages}; }}\n\
             }}\n",
            site.log("nginx.log"),
            site.log("nginx.json"),
        ),
    )?;
    let errors = format!("{folder}/nginx.errors");
    site.serve("nginx", "nginx", &["-e", &errors, "-c", &configuration])
}

fn start_apache(site: &Site, pages: &str) -> anyhow::Result<Server> {
    let folder = site.folder.display();
    let format = r#""%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"""#;
    let configuration = site.write(
        "apache.conf",
        &format!(
            "ServerRoot {folder}\nServerName web.example\nPidFile {folder}/apache.pid\n\
             LoadModule mpm_event_module {MODULES}/mod_mpm_event.so\n\
             LoadModule authz_core_module {MODULES}/mod_authz_core.so\n\
             Listen {WEB}:{APACHE_PORT}\nUser www-data\nGroup www-data\n\
             ErrorLog {folder}/apache.errors\nLogFormat {format} combined\n\
             CustomLog {} combined\nDocumentRoot {pages}\n",
            site.log("apache.log"),
        ),
    )?;
    site.serve("apache", "apache2", &["-DFOREGROUND", "-f", &configuration])
}
