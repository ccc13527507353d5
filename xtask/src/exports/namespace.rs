//! A network namespace that has nothing but itself, and the servers in it.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command},
};

use anyhow::Context;

use crate::toolchain::process;

/// A network namespace, deleted when it is dropped.
pub(super) struct Namespace {
    name: &'static str,
}

impl Namespace {
    /// Makes it anew, with every address of documentation as its own: what is sent to them stays.
    pub(super) fn create(name: &'static str) -> anyhow::Result<Self> {
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
    pub(super) fn add_address(&self, address: &str) -> anyhow::Result<()> {
        let replace = ["address", "replace", &format!("{address}/8"), "dev", "lo"];
        process::run(self.command("ip").args(replace)).map(drop)
    }

    /// A command that runs in it.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.name, program]);
        command
    }

    /// Starts a server whose output goes to `log`.
    pub(super) fn serve(
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

/// A running server, ended when it is dropped. `ip` replaces itself by it.
pub(super) struct Server(Child);

impl Server {
    /// Has it read its configuration and zones again.
    pub(super) fn reload(&self) -> anyhow::Result<()> {
        process::run(Command::new("kill").args(["-HUP", &self.0.id().to_string()])).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which those who ask it notice.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
