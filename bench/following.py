#!/usr/bin/env python3
"""How long after a line is written `hunt --follow` has its hit out.

usage: following.py MIYABURI [LINES]

One line a tenth of a second is appended to a log, which is rotated every 50 lines; the output file is looked at
every millisecond. Prints median, 95th and 99th percentile and maximum in milliseconds.
"""

import os
import subprocess
import sys
import tempfile
import time

program, lines = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
delays = []
with tempfile.TemporaryDirectory() as folder:
    log, hits = os.path.join(folder, "log"), os.path.join(folder, "hits")
    with open(os.path.join(folder, "list"), "w") as file:
        file.write("cnc.example\n")
    open(log, "w").close()
    command = [program, "hunt", "--follow", "--log-format", "syslog", "--output", hits]
    command += ["--checkpoint", os.path.join(folder, "checkpoint")]
    command += ["--indicators", os.path.join(folder, "list"), log]
    with subprocess.Popen(command) as hunt:
        try:
            time.sleep(1)
            for number in range(lines):
                if number % 50 == 49:
                    os.rename(log, f"{log}.{number}")
                    open(log, "w").close()
                name = f"n{number}.cnc.example"
                with open(log, "a") as file:
                    file.write(f"Nov 23 04:29:09 h named[7]: client 192.0.2.7#5 ({name}): "
                               f"query: {name} IN A + (192.0.2.1)\n")
                written = time.monotonic()
                while True:
                    with open(hits) as file:
                        if name in file.read():
                            break
                    time.sleep(0.001)
                delays.append(time.monotonic() - written)
                time.sleep(0.1)
        finally:
            hunt.kill()
delays.sort()
at = lambda share: f"{delays[min(len(delays) - 1, int(len(delays) * share))] * 1000:.0f}"
print(f"{len(delays)} lines: median {at(0.5)}, 95 % {at(0.95)}, 99 % {at(0.99)}, most {at(1)} ms")
