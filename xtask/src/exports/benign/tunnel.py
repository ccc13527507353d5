"""One end of a GRE tunnel (RFC 2784): packets of a tun device, or frames of a tap device, go to the
other end in packets of IP protocol 47, as the kernel's own tunnels send them.

tunnel.py tun|tap DEVICE OWN-ADDRESS OTHER-ADDRESS
"""

import contextlib
import fcntl
import os
import select
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_TAP, IFF_NO_PI = 1, 2, 0x1000
GRE = 47
IPV4, ETHERNET = 0x0800, 0x6558

kind, name, own, other = sys.argv[1:]
flags, carried = (IFF_TUN, IPV4) if kind == "tun" else (IFF_TAP, ETHERNET)
device = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags | IFF_NO_PI))
wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
wire.bind((own, 0))
wire.connect((other, 0))
header = struct.pack(">HH", 0, carried)
while True:
    for ready in select.select([device, wire], [], [])[0]:
        # What comes while a device is down or a queue full is lost, as on any wire.
        with contextlib.suppress(OSError):
            if ready == device:
                inner = os.read(device, 1600)
                # A tun device also hands out the IPv6 packets of the host itself.
                if kind == "tap" or inner[0] >> 4 == 4:
                    wire.send(header + inner)
            else:
                packet = wire.recv(4096)
                # The kernel hands over the IP header, too.
                start = (packet[0] & 15) * 4
                if packet[start : start + 4] == header:
                    os.write(device, packet[start + 4 :])
