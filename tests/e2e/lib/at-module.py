# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""An AT module on a pseudo terminal, as unpleasant as the real one. dfota-sim is its downloader.

at-module.py SETTINGS: a JSON object with sim (the program), images {version: file}, version (that it runs), faults (see below).
Prints the path of the terminal, then each command and each restart. It ends with its standard input.

Always: echo, blank lines, answers in small pieces, messages between a command and its answer, silence and noise in a restart.
A fault happens once, with the first AT+UPGRADE it fits:
  sleepy      the first command after each start has no answer
  late-ok     OK comes after the first progress
  network     +UPGRADEIND: -1001
  no-rdy      restarts without RDY
  power-cut   restarts at 50 %
  refuses     +UPGRADEIND: -1003 after 100 %, no restart
  unchanged   restarts, and runs the old version
"""
import json
import os
import re
import select
import subprocess
import sys
import threading
import time
import tty

settings = json.loads(sys.argv[1])
faults = list(settings["faults"])
version = settings["version"]
url = None
echoes = True
sleepy = False
master, slave = os.openpty()
tty.setraw(slave)


def log(*words):
    print(*words, flush=True)


def send(text):
    for at in range(0, len(text), 7):
        os.write(master, text[at:at + 7].encode("latin-1"))
        time.sleep(0.001)


def line(text):
    send(f"\r\n{text}\r\n")


def takes(fault):
    if fault not in faults:
        return False
    faults.remove(fault)
    return True


def restart(ready=True):
    global echoes, sleepy
    log("restarts", version)
    select.select([master], [], [], 0.3)
    os.read(master, 4096) if select.select([master], [], [], 0)[0] else None
    send("\0\xff\xfe")
    if ready:
        line("RDY")
    line("+E_UTRAN Service")
    echoes, sleepy = True, "sleepy" in settings["faults"]


def download():
    words = [settings["sim"], "--link", url, "--image", settings["images"][version], "--asks", "1"]
    for name, file in settings["images"].items():
        words += ["--know", f"{name}={file}"]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    code = re.search(r"^→ (\d+) (?!bytes)", said, re.M)
    found = re.search(r"^reboots into (\S+)", said, re.M)
    log("asked:", found[1] if found else code[1] if code else said)
    return found[1] if found else None


def write(new):
    global version
    for text in ("^boot.rom'v'!\\n", '+QIND: "FOTA","START"', '+QIND: "FOTA","UPDATING",50', '+QIND: "FOTA","END",0'):
        line(text)
    if not takes("unchanged"):
        version = new
    restart(ready=not takes("no-rdy"))


def upgrade():
    late = takes("late-ok")
    if not late:
        line("OK")
    if takes("network"):
        return line("+UPGRADEIND: -1001")
    new = download()
    if new is None:
        line("+UPGRADEIND: -1003")
        return line("OK") if late else None
    for percent in range(10, 101, 10):
        line(f"+UPGRADEIND: {percent}")
        if late:
            line("OK")
            late = False
        if percent == 50 and takes("power-cut"):
            return restart()
    if takes("refuses"):
        time.sleep(0.5)  # it reads the package again
        return line("+UPGRADEIND: -1003")
    write(new)


def answer(command):
    global url, echoes
    line("+CSQ:18")
    if command == "ATE1":
        echoes = True
        line("OK")
    elif command == "ATI":
        send(f"\r\nAirM2M_780E_V{version}_LTE_AT\r\n")
        line("+CEREG:0,1")
        line("OK")
    elif command.startswith('AT+UPGRADE="URL","'):
        url = command.split('"')[3]
        line("OK")
    elif command == "AT+UPGRADE" and url:
        upgrade()
    else:
        line("ERROR")


def end_with_input():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
log(os.ttyname(slave))
restart()
typed = b""
while True:
    typed += os.read(master, 256)
    while b"\r" in typed:
        command, typed = typed.split(b"\r", 1)
        command = command.decode("latin-1").strip()
        log("command", command.split('"http')[0])
        if sleepy:
            sleepy = False
            continue
        if echoes:
            send(command + "\r\r\n")
        answer(command)
