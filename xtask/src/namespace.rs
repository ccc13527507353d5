//! A network namespace that has nothing but itself, and the servers in it.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command},
    thread,
    time::Duration,
};

use anyhow::{Context, bail};
use core::net::IpAddr;

use crate::toolchain::process;

/// A network namespace, deleted when it is dropped.
pub(crate) struct Namespace {
    name: &'static str,
}

impl Namespace {
    /// Makes it anew, with every address of documentation as its own: what is sent to them stays.
    pub(crate) fn create(name: &'static str) -> anyhow::Result<Self> {
        let namespace = Self { name };
        namespace.delete();
        process::run(Command::new("ip").args(["netns", "add", name]))?;
        process::run(namespace.command("ip").args(["link", "set", "lo", "up"]))?;
        for prefix in ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"] {
            let route = ["route", "add", "local", prefix, "dev", "lo"];
            process::run(namespace.command("ip").args(route))?;
        }
        Ok(namespace)
    }

    /// Gives it an address, which it may have already.
    pub(crate) fn add_address(&self, address: &str) -> anyhow::Result<()> {
        let length = if address.contains(':') { 128 } else { 8 };
        let replace = ["address", "replace", &format!("{address}/{length}"), "dev", "lo"];
        process::run(self.command("ip").args(replace)).map(drop)
    }

    /// A command that runs in it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.name, program]);
        command
    }

    /// Starts a server whose output goes to `log`.
    pub(crate) fn serve(
        &self,
        program: &str,
        arguments: &[&str],
        log: &Path,
    ) -> anyhow::Result<Server> {
        let file = File::create(log).with_context(|| format!("{}", log.display()))?;
        let mut command = self.command(program);
        command.args(arguments).stdout(file.try_clone()?).stderr(file);
        Ok(Server(command.spawn().with_context(|| format!("cannot run {command:?}"))?))
    }

    /// Waits until somebody listens there.
    pub(crate) fn wait_for(&self, address: IpAddr, port: u16) -> anyhow::Result<()> {
        let connect = format!("< /dev/tcp/{address}/{port}");
        let is_there =
            || Ok(self.command("bash").args(["-c", &connect]).output()?.status.success());
        wait_until(&format!("a server at {address} port {port}"), is_there)
    }

    /// Deletes it, which fails when there is none.
    fn delete(&self) {
        let _ = Command::new("ip").args(["netns", "delete", self.name]).output();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.delete();
    }
}

/// How often it is looked for something before it is given up, ten times a second.
const PATIENCE: u32 = 100;

/// Waits for something to become true.
pub(crate) fn wait_until(
    what: &str,
    mut is_so: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    for _ in 0..PATIENCE {
        if is_so()? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!("waited in vain for {what}")
}

/// Waits until a file holds a text.
pub(crate) fn wait_for_text(path: &Path, text: &str) -> anyhow::Result<()> {
    let has_text =
        || Ok(fs::read(path).is_ok_and(|it| String::from_utf8_lossy(&it).contains(text)));
    wait_until(&format!("{text:?} in {}", path.display()), has_text)
}

/// A running server, ended when it is dropped. `ip` replaces itself by it.
pub(crate) struct Server(Child);

impl Server {
    /// Has it read its configuration and zones again.
    pub(crate) fn reload(&self) -> anyhow::Result<()> {
        process::run(Command::new("kill").args(["-HUP", &self.0.id().to_string()])).map(drop)
    }

    /// Has it end, and waits until it has written what it still holds.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        process::run(Command::new("kill").args(["-TERM", &self.0.id().to_string()]))?;
        wait_until("the end of a server", || Ok(self.0.try_wait()?.is_some()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which those who ask it notice.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
