"""The rules of the specimens, in two engines: each finds the files of its configuration, no other specimen
and no file of the folders where nothing may be found.

yara_rules.py EXPORT SPECIMENS NEGATIVES...
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

import yara_x

export, specimens, *negatives = map(pathlib.Path, sys.argv[1:])
path = export / "miyaburi.yar"
rules = yara_x.compile(path.read_text())
names = set(re.findall(r"^rule (\w+)", path.read_text(), re.MULTILINE))
assert names, "no rules"

configurations = {}
for event in (export / "misp").glob("*-*.json"):
    event = json.loads(event.read_text())["Event"]
    rule = "miyaburi_" + event["info"].rsplit(" ", 1)[1]
    for item in event["Object"]:
        for attribute in item["Attribute"]:
            if attribute["type"] == "sha256":
                configurations[attribute["value"]] = rule


def files(folder):
    return [it for it in sorted(folder.rglob("*")) if it.is_file() and not it.is_symlink()]


def by_yara(folder):
    command = ["yara", "--recursive", "--no-follow-symlinks", path, folder]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {(pathlib.Path(file), rule) for rule, file in (line.split(" ", 1) for line in lines)}


def by_yara_x(folder):
    return {
        (file, rule.identifier)
        for file in files(folder)
        for rule in rules.scan(file.read_bytes()).matching_rules
    }


digests = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in files(specimens)}
expected = {(file, configurations[digest]) for file, digest in digests.items() if digest in configurations}
expected = {(file, rule) for file, rule in expected if rule in names}
for name, engine in (("YARA", by_yara), ("YARA-X", by_yara_x)):
    found = engine(specimens)
    assert found == expected, (name, found ^ expected)
    print(f"{name}: {len(names)} rules, {len(found)} of {len(digests)} specimens found, each by its own")
    for folder in negatives:
        found = engine(folder)
        assert not found, (name, found)
        print(f"{name}: none of {len(files(folder))} files in {folder.name}")
