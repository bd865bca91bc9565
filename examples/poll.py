#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Asks dfotad from a script, with nothing but Python's library. doc/hosts.md explains it.

poll.py next [PRODUCT]                            what waits for a person. Ends with 0: nothing; 1: there is something
poll.py stage PRODUCT FIRMWARE CAMPAIGN [STAGE]   waits until a stage is done, by default the current one. Ends with
                                                  0: it is done; 1: the campaign is paused or cancelled; 3: not in time

2: the call was wrong, or the server refused it; or, with next, it does not answer. DFOTA_URL is the admin address
(http://127.0.0.1:8081), DFOTA_TOKEN_FILE a file with a token of the scope read. DFOTA_EVERY (60) are the seconds between two
questions, DFOTA_LIMIT (86400) the seconds until it gives up.
"""
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

FINE, PERSON, WRONG, LATE = 0, 1, 2, 3


class Refused(Exception):
    """The server refused the call: another try does not help."""


class Away(Exception):
    """The server does not answer now."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token must not go to another server."""

    def redirect_request(self, *_):
        return None


def quote(part):
    return urllib.parse.quote(part, safe="")


def number(name, default):
    """A number of the environment that is above 0."""
    try:
        value = float(os.environ.get(name, default))
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise Refused(f"{name} must be a number above 0")
    return value


def token():
    """The token of the file: not on the command line, where all users of the machine could read it."""
    path = os.environ.get("DFOTA_TOKEN_FILE")
    if not path:
        raise Refused("DFOTA_TOKEN_FILE is not set")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: {error}") from error


def get(path):
    """The JSON of one call."""
    url = os.environ.get("DFOTA_URL", "http://127.0.0.1:8081").rstrip("/") + "/api/v1" + path
    try:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token()}"})
        with urllib.request.build_opener(NoRedirect).open(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read(4096).decode("utf-8", "replace")
        try:
            text = json.loads(text)["detail"]
        except (ValueError, KeyError, TypeError):
            text = f"HTTP {error.code}"
        raise (Away if error.code >= 500 or error.code == 429 else Refused)(text) from error
    except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
        raise Away(str(error)) from error
    except ValueError as error:
        raise Refused(f"DFOTA_URL or the token is wrong: {error}") from error


def print_next(product=None):
    overview = get("/overview")
    things = [thing for thing in overview["next"] if product in (None, thing.get("product"))]
    for thing in things:
        about = "/".join(str(thing[key]) for key in ("product", "firmware", "device", "campaign") if thing.get(key))
        print(f"{thing['kind']}\t{about}\t{thing['text']}")
    if overview["more"]:
        print("there are more of these kinds")
    return PERSON if things or overview["more"] else FINE


def judge(campaign, stage):
    """How a stage is: an exit status, or None while it runs; and one line about it."""
    state, current = campaign["state"], campaign["stage"]
    counts = ", ".join(f"{name} {count}" for name, count in campaign["counts"].items() if count)
    line = f"stage {current}, {state}: {counts or 'no devices yet'}"
    if state == "finished" or (current is not None and current > stage):
        return FINE, line
    if state == "paused":
        return PERSON, f"{line}; {campaign['paused_why'] or 'paused'}"
    if state == "cancelled":
        return PERSON, line
    return None, f"{line}; {campaign['gate']}" if campaign["gate"] else line


def wait_for_stage(product, firmware, name, stage=None):
    path = f"/products/{quote(product)}/firmware/{quote(firmware)}/campaigns/{quote(name)}"
    every, end = number("DFOTA_EVERY", 60), time.monotonic() + number("DFOTA_LIMIT", 86400)
    stage, said = stage and int(stage), None
    while True:
        try:
            campaign = get(path)
            stage = stage or campaign["stage"] or 1
            if stage > len(campaign["stages"]):
                raise Refused(f"the campaign has {len(campaign['stages'])} stages")
            status, line = judge(campaign, stage)
        except Away as error:  # a restart of the server is no reason to give up
            status, line = None, f"no answer: {error}"
        if line != said:
            print(line, flush=True)
            said = line
        if status is not None:
            return status
        if time.monotonic() + every > end:
            return LATE
        time.sleep(every)


def main(words):
    try:
        if words[:1] == ["next"] and len(words) <= 2:
            return print_next(*words[1:])
        if words[:1] == ["stage"] and (len(words) == 4 or (len(words) == 5 and words[4].isdecimal() and int(words[4]) > 0)):
            return wait_for_stage(*words[1:])
        print(__doc__.strip(), file=sys.stderr)
    except (Refused, Away) as error:
        print(f"poll.py: {error}", file=sys.stderr)
    return WRONG


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
