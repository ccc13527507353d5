#!/usr/bin/env python3
"""How long consumers take to load an export (rpz, nftables, suricata), and what they then hold.

usage: bench/loading.py EXPORT        as root; BIND, Unbound, nftables and Suricata 7 are installed

Everything runs in a network namespace without a way out. Servers are started with what the export has
for them and asked until they answer; the memory is the resident one after that.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

NAMESPACE = "miyaburi-loading"
INSIDE = ["ip", "netns", "exec", NAMESPACE]
ZONES = {"rpz.miyaburi.invalid": "rpz.zone", "rpz-optout.miyaburi.invalid": "rpz-optout.zone"}


def run(*command):
    return subprocess.run([*INSIDE, *command], check=True, capture_output=True, text=True).stdout


def timed(*command):
    """Seconds and MiB of a command that ends."""
    begin = time.monotonic()
    process = subprocess.Popen([*INSIDE, *command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command}: status {status}")
    return time.monotonic() - begin, usage.ru_maxrss / 1024


def served(name, *command):
    """Seconds until a server refuses `name`, and the MiB that it holds then."""
    begin = time.monotonic()
    process = subprocess.Popen([*INSIDE, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    query = [*INSIDE, "dig", "@127.0.0.1", name, "A", "+tries=1", "+time=1", "+noall", "+comments"]
    try:
        while "NXDOMAIN" not in subprocess.run(query, capture_output=True, text=True).stdout:
            if process.poll() is not None or time.monotonic() - begin > 600:
                sys.exit(f"{command}: no answer")
            time.sleep(0.1)
        seconds = time.monotonic() - begin
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        return seconds, int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
    finally:
        process.kill()
        process.wait()


def resolvers(export, folder, name):
    for file in ZONES.values():
        shutil.copy(export / file, folder)
    zones = "".join(f'zone "{zone}" {{ type primary; file "{file}"; }};\n' for zone, file in ZONES.items())
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; pid-file none; session-keyfile none; dnssec-validation no;\n'
        f"listen-on {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion yes;\n"
        f'include "{export}/rpz.named.conf"; }};\ncontrols {{ }};\n{zones}'
    )
    yield "BIND", served(name, "named", "-g", "-c", f"{folder}/named.conf")
    (folder / "unbound.conf").write_text(
        f'server:\n directory: "{folder}"\n chroot: ""\n username: ""\n pidfile: ""\n interface: 127.0.0.1\n'
        f' module-config: "respip iterator"\n use-syslog: no\n logfile: "/dev/null"\n'
        f'remote-control:\n control-enable: no\ninclude: "{export}/rpz.unbound.conf"\n'
    )
    yield "Unbound", served(name, "unbound", "-d", "-p", "-c", f"{folder}/unbound.conf")


def main():
    export = pathlib.Path(sys.argv[1]).resolve()
    with open(export / "rpz.zone") as zone:
        name = next(line.split()[0] for line in zone if re.match(r"[a-z].* CNAME \.", line) and "rpz-ip" not in line)
    subprocess.run(["ip", "netns", "delete", NAMESPACE], capture_output=True)
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        run("ip", "link", "set", "lo", "up")
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            rows = [("nft --file", timed("nft", "--file", f"{export}/miyaburi.nft"))]
            rows.extend(resolvers(export, folder, name))
            rules = ["suricata", "-T", "-S", f"{export}/miyaburi.rules", "-l", str(folder)]
            rows.append(("suricata -T", timed(*rules)))
        for what, (seconds, memory) in rows:
            print(f"| {what} | {seconds:.1f} | {memory:.0f} MiB |")
    finally:
        subprocess.run(["ip", "netns", "delete", NAMESPACE], capture_output=True)


main()
