"""The events of the specimens: PyMISP loads them by its own templates, what they mark for detection is
exactly the C2s of the truth, and misp-stix converts them. In an export by which hosts were revoked, it is
exactly the rest.

misp_events.py EXPORT TRUTH HOSTILE LATER REVOKED
"""

import json
import pathlib
import sys

from misp_stix_converter import MISPtoSTIX21Parser
from pymisp import MISPEvent, MISPObject

export, truth, hostile, later, revoked = map(pathlib.Path, sys.argv[1:])


def load(folder):
    """The events that the manifest names, each as file and as PyMISP has it."""
    manifest = json.loads((folder / "manifest.json").read_text())
    names = {path.stem for path in folder.glob("*.json")} - {"manifest"}
    assert names == set(manifest), names ^ set(manifest)
    for uuid, summary in manifest.items():
        path = folder / f"{uuid}.json"
        event = MISPEvent(strict_validation=True)
        event.load_file(path)
        assert event.uuid == uuid and event.info == summary["info"], uuid
        yield json.loads(path.read_text())["Event"], event


def check_templates(event):
    """Objects are those of PyMISP's templates, attribute by attribute."""
    for item in event.objects:
        template = MISPObject(item.name, strict=True)
        definition = template._definition
        assert item.template_uuid == definition["uuid"], item.name
        assert int(item.template_version) == int(definition["version"]), item.name
        assert item["meta-category"] == definition["meta-category"], item.name
        for attribute in item.attributes:
            template.add_attribute(attribute.object_relation, attribute.value)
            expected = definition["attributes"][attribute.object_relation]["misp-attribute"]
            assert attribute.type == expected, (item.name, attribute.object_relation)
        template._validate()


def compare(document, event):
    """What PyMISP has is what the file says."""
    values = lambda items: sorted(
        (attribute["uuid"], str(attribute["value"]))
        for item in items
        for attribute in item["Attribute"]
    )
    loaded = json.loads(event.to_json())
    is_time = lambda item: item[1].startswith("20") and "T" in item[1]
    told = [item for item in values(document["Object"]) if not is_time(item)]
    assert told == [item for item in values(loaded["Object"]) if not is_time(item)]


def convert(event):
    parser = MISPtoSTIX21Parser()
    parser.parse_misp_event(event)
    assert not parser.errors, parser.errors
    kinds = [item.type for item in parser.stix_objects]
    assert len(kinds) > len(event.objects) / 2, kinds
    return len(kinds)


def to_detect(event):
    """Hosts that are marked, with their ports; nothing else is."""
    for item in event.objects:
        values = {attribute.object_relation: attribute for attribute in item.attributes}
        for relation, port in (("domain", "port"), ("ip-dst", "dst-port")):
            if relation in values and values[relation].to_ids:
                yield values[relation].value, int(values[port].value)
        others = [it for it in item.attributes if it.to_ids]
        assert all(it.object_relation in ("domain", "ip-dst") for it in others), item.name


objects = converted = 0
found = set()
for document, event in load(export / "misp"):
    check_templates(event)
    compare(document, event)
    converted += convert(event)
    objects += len(event.objects)
    found.update(to_detect(event))
expected = {
    (endpoint["host"], endpoint["port"])
    for line in truth.read_text().splitlines()
    for endpoint in json.loads(line)["endpoints"]
    if endpoint["role"] == "c2"
}
assert found == expected, found ^ expected
print(f"MISP: {objects} objects, {len(found)} hosts to detect, exactly the C2s of the truth")
print(f"MISP: {converted} objects of STIX by misp-stix")

gone = set(revoked.read_text().split())
left = {host for _, event in load(later / "misp") for host in to_detect(event)}
assert left == {host for host in expected if host[0] not in gone}, left ^ expected
assert len(left) < len(expected)
print(f"MISP: {len(left)} hosts to detect once {len(gone)} were revoked")

for document, event in load(hostile / "misp"):
    check_templates(event)
    compare(document, event)
    convert(event)
print("MISP: hostile texts come back as they are")
