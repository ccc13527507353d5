"""Reads events with pyarrow: the arguments are the stream, the same events as NDJSON, and how many there are.

Both have to say the same, and a question of data frames has to be answered as one asked of the NDJSON.
"""
import collections
import datetime
import json
import pathlib
import sys

import pyarrow.ipc

stream, lines, count = sys.argv[1:]
table = pyarrow.ipc.open_stream(pathlib.Path(stream).read_bytes()).read_all()
expected = [json.loads(line) for line in pathlib.Path(lines).read_text().splitlines()]
assert len(expected) == int(count), len(expected)


def moment(text):
    return text and datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]", table.schema
rows = table.to_pylist()
assert len(rows) == len(expected), (len(rows), len(expected))
for row, wanted in zip(rows, expected):
    wanted["time"] = moment(wanted["time"])
    assert row == wanted, (row, wanted)

grouped = table.group_by("event").aggregate([("client", "count_distinct")]).to_pylist()
clients = collections.defaultdict(set)
for row in expected:
    clients[row["event"]].update([row["client"]] if row["client"] else [])
told = {row["event"]: row["client_count_distinct"] for row in grouped}
assert told == {event: len(them) for event, them in clients.items()}, told
print(f"{len(rows)} events that pyarrow reads: {told}")
