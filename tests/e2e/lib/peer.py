# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""The TCP side of a module with a small receive buffer, so that its kernel acknowledges little more than it has read.

peer.py HOST PORT REQUEST-HEX READ THEN: sends the request, reads READ bytes after the head (or "all"), then
  stop    reads no more, until its standard input ends
  reset   resets the connection
  fin     closes it
  hold    keeps it open, until its standard input ends
Prints on standard output: "head STATUS", then "body N" when READ bytes have arrived.
"""
import socket
import struct
import sys


def main():
    host, port, request, wanted, then = sys.argv[1:6]
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect((host, int(port)))
    peer.sendall(bytes.fromhex(request))
    head = b""
    while b"\r\n\r\n" not in head:
        head += peer.recv(1)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:"))
    print("head", head.split()[1].decode(), flush=True)
    left = length if wanted == "all" else int(wanted)
    body = 0
    while left > body:
        part = peer.recv(min(65536, left - body))
        if not part:
            break
        body += len(part)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # what was read is acknowledged before anything else happens
    print("body", body, flush=True)
    if then in ("stop", "hold"):
        sys.stdin.read()
    if then == "reset":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


main()
