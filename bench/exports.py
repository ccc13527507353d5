"""Reports with COUNT C2s of documentation values, names and addresses in turn: a report for each, or with
--logins two builds of one configuration that tries 60 logins and knows three attacks.

exports.py COUNT [--logins]
"""

import hashlib
import json
import random
import sys

count, has_logins = int(sys.argv[1]), "--logins" in sys.argv
random.seed(1)


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def report(number, arch, findings):
    digest = sha256(f"{number} {arch}")
    sample = {"path": "-", "sha256": digest, "size": 70000, "format": "elf", "arch": arch}
    sample |= {"sha1": digest[:40], "md5": digest[:32]}
    family = {"name": "mirai", "confidence": "high"}
    head = {"schema_version": 1, "sample": sample, "verdict": "config", "family": family}
    return json.dumps(head | findings)


for number in range(count):
    networks = ["192.0.2", "198.51.100", "203.0.113"]
    address = f"{networks[number // 2 % 3]}.{number // 6 % 254 + 1}"
    host = address if number % 2 else f"c{number}.bot.example"
    endpoint = {"host": host, "port": 1024 + number // 1524 % 60000, "protocol": "tcp", "url": None}
    endpoint |= {"role": "c2", "order": 1, "method": "table", "confidence": "high"}
    findings = {"endpoints": [endpoint]}
    if not has_logins:
        print(report(number, "mips", findings))
        continue
    logins = [
        {"user": f"user{random.randrange(40)}", "password": f"word{random.randrange(400)}", "weight": 1}
        for _ in range(60)
    ]
    credentials = {"effective_key": "0x22", "cipher": "xor", "entries": logins}
    findings["credentials"] = credentials | {"sha256": sha256(json.dumps(logins))}
    findings["attacks"] = [
        {"vector": vector, "handler": "0x1000", "kind": kind, "kind_method": None, "packets": []}
        for vector, kind in enumerate(["udp", "syn", "vse"])
    ]
    for arch in ("mips", "arm"):
        print(report(number, arch, findings))
