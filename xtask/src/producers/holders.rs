//! Who has an address: FreeRADIUS, ISC dhcpd and Kea, which write it down.

use std::{fs, path::Path};

use super::Site;
use crate::{
    namespace::{Server, wait_for_text, wait_until},
    toolchain::process,
};

/// Who has a bot: an address, and whose it is by the accounting of FreeRADIUS.
pub(super) const BY_RADIUS: (&str, &str) = ("10.1.0.2", "line-17");

/// The same by the leases of dhcpd and of Kea, which know devices.
pub(super) const BY_DHCP: [(&str, &str); 2] =
    [("10.2.0.100", "02:00:5e:00:53:02"), ("10.3.0.100", "02:00:5e:00:53:03")];

/// Where FreeRADIUS hears.
const RADIUS: &str = "10.0.0.13:1813";

/// What access servers and it know.
const SECRET: &str = "shared";

/// Has everybody be given an address; the files that say so.
pub(super) fn lease(site: &Site) -> anyhow::Result<Vec<String>> {
    site.namespace.add_address(RADIUS.split(':').next().unwrap_or_default())?;
    Ok(vec![account(site)?, lease_by_dhcpd(site)?, lease_by_kea(site)?])
}

/// A session begins.
fn account(site: &Site) -> anyhow::Result<String> {
    let folder = site.make("radius")?;
    let (address, port) = RADIUS.split_once(':').unwrap_or_default();
    let detail = format!("{folder}/detail");
    site.write(
        "radius/radiusd.conf",
        &format!(
            "name = radiusd\nprefix = /usr\nlogdir = {folder}\nrun_dir = {folder}\n\
             raddbdir = {folder}\nlibdir = /usr/lib/freeradius\nlog {{\n destination = stdout\n}}\n\
             modules {{\n detail {{\n  filename = {detail}\n }}\n}}\n\
             client script {{\n ipaddr = 10.0.0.0/8\n secret = {SECRET}\n}}\n\
             server default {{\n listen {{\n  type = acct\n  ipaddr = {address}\n  port = {port}\n }}\n\
             \x20accounting {{\n  detail\n }}\n}}\n"
        ),
    )?;
    let arguments = ["-f", "-d", &folder, "-n", "radiusd", "-l", "stdout"];
    let server = site.serve("radius", "freeradius", &arguments)?;
    wait_for_text(&site.folder.join("radius.out"), "Ready to process requests")?;
    let (client, holder) = BY_RADIUS;
    let request = site.write(
        "radius/request",
        &format!(
            "User-Name = \"{holder}\", Acct-Status-Type = Start, Acct-Session-Id = \"1\", \
             Framed-IP-Address = {client}, NAS-IP-Address = 10.0.0.1, NAS-Port = 1\n"
        ),
    )?;
    process::run(site.command("radclient").args(["-f", &request, RADIUS, "acct", SECRET]))?;
    server.end()?;
    Ok(detail)
}

fn lease_by_dhcpd(site: &Site) -> anyhow::Result<String> {
    let link = Link::make(site, BY_DHCP[0])?;
    let address = link.client;
    let leases = site.write("dhcpd.leases", "")?;
    let configuration = site.write(
        "dhcpd.conf",
        &format!(
            "authoritative;\nddns-update-style none;\nsubnet {} netmask 255.255.255.0 {{\n \
             range {address} {address};\n}}\n",
            link.network
        ),
    )?;
    let identity = site.folder.join("dhcpd.pid").display().to_string();
    let arguments =
        ["-f", "-d", "-4", "-cf", &configuration, "-lf", &leases, "-pf", &identity, &link.server];
    let server = site.serve("dhcpd", "dhcpd", &arguments)?;
    wait_for_text(&site.folder.join("dhcpd.out"), "Server starting service")?;
    link.ask(site, Path::new(&leases), "binding state active")?;
    server.end()?;
    Ok(leases)
}

fn lease_by_kea(site: &Site) -> anyhow::Result<String> {
    let link = Link::make(site, BY_DHCP[1])?;
    let address = link.client;
    let leases = site.folder.join("kea-leases4.csv").display().to_string();
    let configuration = site.write(
        "kea.json",
        &format!(
            "{{\"Dhcp4\": {{\"interfaces-config\": {{\"interfaces\": [\"{}\"]}},\n\
             \"lease-database\": {{\"type\": \"memfile\", \"persist\": true, \"name\": \"{leases}\"}},\n\
             \"subnet4\": [{{\"subnet\": \"{}/24\", \"pools\": [{{\"pool\": \"{address}-{address}\"}}]}}]}}}}\n",
            link.server, link.network
        ),
    )?;
    let folder = site.folder.display();
    let [lock, identity] = ["LOCKFILE", "PIDFILE"].map(|what| format!("KEA_{what}_DIR={folder}"));
    let arguments =
        [&lock, &identity, "KEA_LOGGER_DESTINATION=stdout", "kea-dhcp4", "-c", &configuration];
    let server = site.serve("kea", "env", &arguments)?;
    wait_for_text(&site.folder.join("kea.out"), "DHCP4_STARTED")?;
    link.ask(site, Path::new(&leases), address)?;
    server.end()?;
    Ok(leases)
}

/// A wire between a server and the device of a client.
struct Link {
    server: String,
    device: String,
    network: String,
    client: &'static str,
}

impl Link {
    /// Makes one on which the client may get its address.
    fn make(site: &Site, (client, hardware): (&'static str, &str)) -> anyhow::Result<Self> {
        let network = client.rsplit_once('.').map_or("", |(network, _)| network);
        let number = hardware.rsplit(':').next().unwrap_or_default();
        let (server, device) = (format!("server{number}"), format!("client{number}"));
        let (own, network) = (format!("{network}.1/24"), format!("{network}.0"));
        let pair =
            ["link", "add", &server, "type", "veth", "peer", "name", &device, "address", hardware];
        for arguments in [
            &pair[..],
            &["link", "set", &server, "up"],
            &["link", "set", &device, "up"],
            &["address", "add", &own, "dev", &server],
        ] {
            process::run(site.namespace.command("ip").args(arguments))?;
        }
        Ok(Self { server, device, network, client })
    }

    /// Has the device ask for an address until `leases` say that it has one.
    fn ask(&self, site: &Site, leases: &Path, given: &str) -> anyhow::Result<()> {
        let own = site.folder.join(&self.device).display().to_string();
        let identity = format!("{own}.pid");
        // What it is given stays unused: the client's address is one of the namespace.
        let fixed = ["-4", "-1", "-d", "-cf", "/dev/null", "-sf", "/bin/true"];
        let arguments = [&fixed[..], &["-lf", &own, "-pf", &identity, &self.device]].concat();
        let asking: Server = site.serve(&self.device, "dhclient", &arguments)?;
        let is_given = || Ok(fs::read_to_string(leases).is_ok_and(|text| text.contains(given)));
        wait_until(&format!("a lease in {}", leases.display()), is_given)?;
        drop(asking);
        process::run(site.namespace.command("ip").args(["link", "delete", &self.server]))?;
        Ok(())
    }
}
