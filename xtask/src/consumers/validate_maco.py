"""Validates documents with MACO's own model: arguments are the folder and the truth file.

The C2s of each document have to be those of the truth, and no others.
"""
import json
import pathlib
import sys

from maco.model import ExtractorModel


def c2s_of_truth(path):
    for line in open(path, encoding="utf-8"):
        truth = json.loads(line)
        endpoints = truth.get("endpoints", [])
        yield truth["sha256"], {(e["host"], e["port"]) for e in endpoints if e["role"] == "c2"}


folder, truth = pathlib.Path(sys.argv[1]), sys.argv[2]
for sha256, expected in c2s_of_truth(truth):
    text = (folder / sha256 / "maco.json").read_text(encoding="utf-8")
    model = ExtractorModel.model_validate_json(text)
    found = {(c.server_ip or c.server_domain, c.server_port) for c in model.tcp if c.usage == "c2"}
    assert found == expected, f"{sha256}: {found} instead of {expected}"
    print(f"{sha256}: {len(found)} C2s, {len(model.decoded_strings)} strings")
