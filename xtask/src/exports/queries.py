"""The Sigma rules, made into queries by pySigma: those for Splunk and Elasticsearch name every C2 of
the truth, and those for SQLite find exactly the C2s in logs of all hosts of the specimens.

queries.py EXPORT TRUTH
"""

import ipaddress
import json
import pathlib
import sqlite3
import sys

from sigma.backends.elasticsearch import LuceneBackend
from sigma.backends.splunk import SplunkBackend
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

export, truth = map(pathlib.Path, sys.argv[1:])
rules = SigmaCollection.from_yaml((export / "miyaburi.sigma.yml").read_text())


def is_address(host):
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


endpoints = [
    (endpoint["host"], endpoint["port"], endpoint["role"] == "c2")
    for line in truth.read_text().splitlines()
    for endpoint in json.loads(line)["endpoints"]
]
bad = {(host, port) for host, port, is_c2 in endpoints if is_c2}
# The same address at another port, names above and below: nobody's C2.
near = {(host, port ^ 1) for host, port in bad if is_address(host)}
near |= {(f"below.{host}", port) for host, port in bad}
near |= {(host.split(".", 1)[1], port) for host, port in bad if not is_address(host)}
others = ({(host, port) for host, port, _ in endpoints} | near) - bad
bad_names = {host for host, _ in bad if not is_address(host)}
assert bad_names and len(bad_names) < len(bad), "the truth has both names and addresses"

logs = sqlite3.connect(":memory:")
logs.execute('CREATE TABLE logs (query, "cs-host", dst_ip, dst_port)')
for host, port in bad | others:
    row = (None, None, host, port) if is_address(host) else (host, host, None, port)
    logs.execute("INSERT INTO logs VALUES (?, ?, ?, ?)", row)

expected = {
    "dns": bad_names,
    "proxy": bad_names,
    "firewall": {(host, port) for host, port in bad if is_address(host)},
}
for rule in rules:
    category = rule.logsource.category
    [query] = sqliteBackend().convert_rule(rule)
    found = {
        (row[2], row[3]) if category == "firewall" else row[0] for row in logs.execute(query)
    }
    assert found == expected.pop(category), (category, query, found)
    for backend in (SplunkBackend(), LuceneBackend()):
        [query] = backend.convert_rule(rule)
        query = query.replace("\\", "")
        hosts = {host if isinstance(host, str) else host[0] for host in found}
        assert all(host in query for host in hosts), (category, query)
    print(f"Sigma, {category}: {len(found)} C2s found among {len(bad | others)} hosts")
assert not expected, f"no rules for {list(expected)}"
