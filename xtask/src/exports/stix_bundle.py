"""The bundle of the specimens: OASIS' validator finds nothing wrong with it, its indicators are exactly
the C2s of the truth, and a TAXII 2.1 server takes it and gives it back. After a later export without
what was revoked, who reads from the server holds exactly the rest for valid.

stix_bundle.py EXPORT TRUTH HOSTILE LATER REVOKED
"""

import ipaddress
import json
import logging
import pathlib
import re
import sys
import threading

import medallion
from stix2validator import ValidationOptions, print_results, validate_file
from taxii2client.v21 import Collection, as_pages
from werkzeug.serving import make_server

# What the specification only recommends, and cannot be: identifiers that are drawn, a source port where
# nothing was sent yet, a digest of ATT&CK's pages, CPU types that the vocabulary has no words for.
IMPOSSIBLE = "103,301,302,230"
NAME = "miyaburi.stix.json"
COLLECTION = "5b1c3f0e-8a3d-4c52-9a5e-2f0d7c6b4a19"
export, truth, hostile, later, revoked = map(pathlib.Path, sys.argv[1:])
bundle = json.loads((export / NAME).read_text())


def is_address(host):
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def validate(path):
    options = ValidationOptions(version="2.1", strict=True, disabled=IMPOSSIBLE)
    results = validate_file(str(path), options)
    if not results.is_valid:
        print_results([results])
    assert results.is_valid, path
    print(f"STIX: {len(json.loads(path.read_text())['objects'])} valid objects in {path.parent.name}")


def compare_with_truth():
    expected = set()
    for line in truth.read_text().splitlines():
        for endpoint in json.loads(line)["endpoints"]:
            if endpoint["role"] == "c2":
                host = endpoint["host"]
                expected.add((host, endpoint["port"] if is_address(host) else None))
    found = indicated(bundle["objects"], "2026-11-23T00:00:00.000Z")
    assert found == expected, found ^ expected
    print(f"STIX: {len(found)} indicators, exactly the C2s of the truth")
    return expected


def indicated(objects, now):
    """Hosts with their ports that indicators hold for bad at a time."""
    found = set()
    for item in objects:
        if item["type"] == "indicator":
            assert item["valid_from"] < item["valid_until"], item
            if item["valid_from"] <= now < item["valid_until"]:
                [host] = re.findall(r"value = '([^']+)'", item["pattern"])
                port = re.findall(r"dst_port = (\d+)", item["pattern"])
                found.add((host, int(port[0]) if port else None))
    return found


def serve():
    """A TAXII server on the loopback device with an empty collection; its port."""
    user, password = "admin", "password"
    rights = {"can_read": True, "can_write": True, "media_types": ["application/stix+json;version=2.1"]}
    data = {
        "/discovery": {"title": "t", "api_roots": ["http://127.0.0.1/root/"]},
        "root": {
            "information": {
                "title": "t",
                "versions": ["application/taxii+json;version=2.1"],
                "max_content_length": 1 << 30,
            },
            "status": [],
            "collections": [{"id": COLLECTION, "title": "t", "objects": [], "manifest": []} | rights],
        },
    }
    path = export / "taxii.json"
    path.write_text(json.dumps(data))
    configuration = {
        "users": {user: password},
        "taxii": {"max_page_size": 1000},
        "backend": {
            "module": "medallion.backends.memory_backend",
            "module_class": "MemoryBackend",
            "filename": str(path),
        },
    }
    for section in ("users", "taxii", "backend"):
        medallion.set_config(medallion.application_instance, section, configuration)
    medallion.register_blueprints(medallion.application_instance)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, medallion.application_instance, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/root/collections/{COLLECTION}/"
    return Collection(url, user=user, password=password)


def exchange():
    collection = serve()
    status = collection.add_objects({"objects": bundle["objects"]}, timeout=120)
    assert status.status == "complete" and not status.failures, status.failures
    returned = read(collection)
    sent = {item["id"]: item for item in bundle["objects"]}
    assert returned == sent, set(returned) ^ set(sent)
    print(f"TAXII: {len(sent)} objects taken and given back")
    return collection


def read(collection):
    pages = as_pages(collection.get_objects, per_request=1000)
    return {item["id"]: item for page in pages for item in page.get("objects", [])}


def take_back(collection, expected):
    """The later bundle follows the first one into the collection."""
    known = read(collection)
    objects = json.loads((later / NAME).read_text())["objects"]
    # The server refuses a version that it has.
    new = [it for it in objects if it.get("modified") != known.get(it["id"], {}).get("modified")]
    new += [it for it in objects if it["id"] not in known and "modified" not in it]
    status = collection.add_objects({"objects": new}, timeout=120)
    assert status.status == "complete" and not status.failures, status.failures[:3]
    gone = set(revoked.read_text().split())
    left = {(host, port) for host, port in expected if host not in gone}
    assert left < expected
    found = indicated(read(collection).values(), "2026-11-24T00:00:00.000Z")
    assert found == left, found ^ left
    print(f"TAXII: {len(expected) - len(left)} indicators are valid no longer, {len(left)} are")


validate(export / NAME)
validate(hostile / NAME)
validate(later / NAME)
expected = compare_with_truth()
take_back(exchange(), expected)
