#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Verifies a ledger, after doc/ledger.md and nothing else.

verify.py rows FILE [HEAD]   rows as the API gives them, {"items":[…]}, all pages put together
verify.py database FILE [HEAD]

Prints the number of rows and the last hash; ends with 1 and a sentence when something is wrong.
"""
import hashlib
import json
import sqlite3
import sys

ZERO = "0" * 64
FIELDS = ("seq", "at", "kind", "product", "firmware", "device", "attempt", "package", "detail", "prev")


def canonical(detail):
    if isinstance(detail, str):
        return detail
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def of_api(path):
    with open(path, encoding="utf-8") as file:
        for row in json.load(file)["items"]:
            yield {**row, "attempt": row["attempt"] or 0, "detail": canonical(row["detail"])}


def of_database(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    columns = "seq, at_ms, kind, product, firmware, device, attempt, package, detail, lower(hex(prev)), lower(hex(hash))"
    for values in database.execute(f"SELECT {columns} FROM ledger ORDER BY seq"):
        yield dict(zip(FIELDS + ("hash",), values))


def hash_of(row):
    text = hashlib.sha256()
    for field in ("dfota ledger 1", *(row[name] for name in FIELDS)):
        data = str(field if field is not None else "").encode("utf-8")
        text.update(b"%d:%s," % (len(data), data))
    return text.hexdigest()


def verify(rows, head):
    first = last = checkpoint = None
    count = 0
    met = head is None or head["seq"] == 0
    for row in rows:
        if hash_of(row) != row["hash"]:
            return f"row {row['seq']} has another hash"
        if last and (row["seq"] != last["seq"] + 1 or row["prev"] != last["hash"]):
            return f"row {row['seq']} does not follow row {last['seq']}"
        if row["kind"] == "ledger-pruned":
            checkpoint = json.loads(row["detail"])
        if head and row["seq"] == head["seq"]:
            met = row["hash"] == head["hash"]
            if not met:
                return f"row {row['seq']} is not that of the head"
        first, last, count = first or row, row, count + 1
    if first:
        begins = (checkpoint["last"] + 1, checkpoint["hash"]) if checkpoint else (1, ZERO)
        if (first["seq"], first["prev"]) != begins:
            return f"row {first['seq']} begins nothing"
    if not met and not (checkpoint and (checkpoint["last"], checkpoint["hash"]) == (head["seq"], head["hash"])):
        return f"row {head['seq']} of the head is not there"
    print(count, last["hash"] if last else ZERO)
    return None


def main():
    how, path, *more = sys.argv[1:]
    head = None
    if more:
        with open(more[0], encoding="utf-8") as file:
            head = json.load(file)
    wrong = verify(of_api(path) if how == "rows" else of_database(path), head)
    if wrong:
        print(wrong, file=sys.stderr)
        sys.exit(1)


main()
