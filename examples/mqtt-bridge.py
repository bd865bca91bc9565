#!/usr/bin/env python3
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
"""Wakes devices over MQTT: takes the webhooks of dfotad, and publishes. doc/hosts.md explains it. Needs python3-paho-mqtt.

DFOTA_SECRET_FILE   the secret of the webhook
LISTEN              where dfotad sends to; default 127.0.0.1:8090
MQTT_HOST           default 127.0.0.1; also MQTT_PORT, MQTT_USERNAME, MQTT_PASSWORD_FILE, MQTT_CA_FILE (then with TLS)
MQTT_TOPIC          default devices/{id}/firmware; {id} is the IMEI or other id, percent-encoded

A device gets {"event":"package-ready","to":"1162",...} and asks for its firmware. The message has no link: a link is a secret.
"""
import collections
import hashlib
import hmac
import json
import os
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import quote

from paho.mqtt import client as mqtt

BODY_MAX_BYTES = 65536
AGE_MAX_MS = 5 * 60 * 1000
PUBLISH_SECONDS = 10  # dfotad waits 15 seconds for an answer
IDS_MAX = 10000  # an event may come twice
THREADS_MAX = 16
EVENTS = ("package-ready",)
FACTS = ("id", "event", "product", "firmware", "from", "to", "size")


def read_secret(path):
    with open(path, "rb") as file:
        return file.read().strip()


def is_genuine(secret, timestamp, body, signature):
    """Whether dfotad signed these bytes in the last five minutes."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) < 20):
        return False
    if abs(time.time() * 1000 - int(timestamp)) > AGE_MAX_MS:
        return False
    digest = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={digest}".encode(), signature.encode("utf-8", "replace"))


class Bridge:
    def __init__(self, client, topic):
        self.client, self.topic = client, topic
        self.lock, self.taken = threading.Lock(), collections.OrderedDict()

    def pass_on(self, event):
        """Publishes an event once. False: the broker did not take it, so dfotad shall send it again."""
        if event.get("event") not in EVENTS or "device" not in event:
            return True
        with self.lock:
            if event["id"] in self.taken:
                return True
        name = quote(event["device"].partition(":")[2], safe="")  # no + # / in a topic
        message = json.dumps({fact: event[fact] for fact in FACTS if fact in event})
        if not self.client.is_connected():
            return False
        told = self.client.publish(self.topic.replace("{id}", name), message, qos=1)
        try:
            told.wait_for_publish(PUBLISH_SECONDS)
        except (ValueError, RuntimeError):
            return False
        if not told.is_published():
            return False
        with self.lock:
            self.taken[event["id"]] = None
            while len(self.taken) > IDS_MAX:
                self.taken.popitem(last=False)
        print(f"{event['event']} {event['id']} {event['device']}", flush=True)
        return True


class Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    free = threading.BoundedSemaphore(THREADS_MAX)

    def process_request(self, request, client_address):
        if not self.free.acquire(timeout=PUBLISH_SECONDS):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()


class Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        self.close_connection = True
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()) or len(length) > 6 or int(length) > BODY_MAX_BYTES:
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not is_genuine(self.server.secret, self.headers.get("X-Dfota-Timestamp", ""), body, self.headers.get("X-Dfota-Signature", "")):
            return self.answer(403)
        return self.answer(204 if self.server.bridge.pass_on(json.loads(body)) else 503)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def connect():
    """The client connects in the background, and again after each loss."""
    versions = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []  # paho 2
    client = mqtt.Client(*versions)
    if "MQTT_USERNAME" in os.environ:
        client.username_pw_set(os.environ["MQTT_USERNAME"], read_secret(os.environ["MQTT_PASSWORD_FILE"]))
    if "MQTT_CA_FILE" in os.environ:
        client.tls_set(os.environ["MQTT_CA_FILE"])
    client.connect_async(os.environ.get("MQTT_HOST", "127.0.0.1"), int(os.environ.get("MQTT_PORT", "1883")))
    client.loop_start()
    return client


def main():
    secret = read_secret(os.environ["DFOTA_SECRET_FILE"])
    if not secret:
        sys.exit("mqtt-bridge: the secret is empty")
    host, _, port = os.environ.get("LISTEN", "127.0.0.1:8090").rpartition(":")
    server = Server((host, int(port)), Handler)
    server.secret, server.bridge = secret, Bridge(connect(), os.environ.get("MQTT_TOPIC", "devices/{id}/firmware"))
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
