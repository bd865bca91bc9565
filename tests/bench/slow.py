# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Many modules that download slowly, each with a small receive buffer, as on a slow network.

slow.py HOST PORT PATH FIRST COUNT RATE: modules FIRST, FIRST + 1, … ask for PATH, which ends with their number. Prints
"open N" when all have the head of an answer with a package, and N the number of those that are still open. Then each reads RATE
bytes per second until the standard input ends. Sources are 127.0.0.2 and the addresses after it.
"""
import resource
import select
import socket
import sys
import time

PER_SOURCE = 1000  # connections from one address
AT_ONCE = 200      # answers that are awaited at the same time
TICKS = 20         # per second


def connect(host, port, path, index):
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    peer.bind((f"127.0.0.{2 + index // PER_SOURCE}", 0))
    peer.connect((host, port))
    peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    return peer


def begin(peer):
    head = b""
    while b"\r\n\r\n" not in head:
        part = peer.recv(600)
        if not part:
            sys.exit(f"an answer ended: {head!r}")
        head += part
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        sys.exit(f"no package: {head!r}")
    peer.setblocking(False)


def read_slowly(peers, rate):
    slot = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        due = time.monotonic() + 1 / TICKS
        for peer in peers[slot::TICKS]:
            try:
                peer.recv(rate)
            except BlockingIOError:
                pass
        slot = (slot + 1) % TICKS
        time.sleep(max(0, due - time.monotonic()))


def main():
    host, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    first, count, rate = map(int, sys.argv[4:])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    peers = []
    for start in range(0, count, AT_ONCE):
        wave = [connect(host, port, f"{path}{first + n}", n) for n in range(start, min(count, start + AT_ONCE))]
        for peer in wave:
            begin(peer)
        peers += wave
    print("open", len(peers), flush=True)
    read_slowly(peers, rate)


main()
