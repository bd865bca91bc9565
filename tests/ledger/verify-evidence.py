#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Checks an evidence file with doc/evidence.md only: the signature with openssl, the chain with hashlib.

verify-evidence.py FILE [KEY.pem]
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile


def fail(text):
    sys.exit(f"{sys.argv[1]}: {text}")


def check_signature(envelope, payload, pem):
    with tempfile.TemporaryDirectory() as folder:
        def put(name, data):
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(data)
            return path
        key = base64.b64decode(envelope["key"])
        if pem is None:  # the head of an Ed25519 key in DER, and the key
            pem = put("key.der", bytes.fromhex("302a300506032b6570032100") + key)
        message = put("message", b"dfota evidence 1\n" + payload)
        signature = put("signature", base64.b64decode(envelope["signature"]))
        form = ["-keyform", "DER"] if pem.endswith(".der") else []
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", pem, *form, "-rawin",
                               "-in", message, "-sigfile", signature], capture_output=True)
        if done.returncode != 0:
            fail("the signature is wrong")


def hash_of(row):
    fields = ["dfota ledger 1", row["seq"], row["at"], row["kind"], row["product"], row["firmware"], row["device"],
              row["attempt"], row["package"], row["detail"], row["prev"]]
    text = b""
    for field in fields:
        data = str(field).encode()
        text += str(len(data)).encode() + b":" + data + b","
    return hashlib.sha256(text).hexdigest()


def check_chain(ledger):
    before, pieces = None, 0
    for row in ledger["rows"]:
        if hash_of(row) != row["hash"]:
            fail(f"row {row['seq']} was changed")
        if before and row["seq"] == before["seq"] + 1:
            if row["prev"] != before["hash"]:
                fail(f"row {row['seq']} does not follow the row before")
        else:
            pieces += 1
        before = row
    head = ledger["head"]
    whole = before is not None and pieces == 1 and before["seq"] == head["seq"] and before["hash"] == head["hash"]
    if ledger["rows_of"] == "all" and not whole:
        fail("rows are missing")
    return pieces, whole


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        envelope = json.load(file)
    payload = base64.b64decode(envelope["payload"], validate=True)
    check_signature(envelope, payload, sys.argv[2] if len(sys.argv) > 2 else None)
    evidence = json.loads(payload)
    pieces, whole = check_chain(evidence["ledger"])
    print(f"good: {len(evidence['ledger']['rows'])} rows, {pieces} pieces, {'whole' if whole else 'parts'}")


main()
