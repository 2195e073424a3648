"""The same work as benches/throughput.rs with Python's hashlib, on one core: reads one batch from the file named first, prints
"digest <CPU seconds>" and "token <CPU seconds>" for one pass each, best of five."""

import base64
import hashlib
import json
import re
import sys
import time
import unicodedata

KEY = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01"
COST = re.compile(r"([0-9]{1,16})(?:\.([0-9]+))?", re.ASCII)


def digest(body):
    rows = json.loads(body)["arguments"]
    results = [hashlib.blake2b(("\1" + "".join([f or "" for f in row])).encode(), digest_size=32, key=KEY).hexdigest() for row in rows]
    return json.dumps({"success": True, "num_records": len(results), "results": results})


def text(value):
    data = value.encode()
    return len(data).to_bytes(4, "big") + data


def field(value):
    return b"\0" if value is None else b"\1" + text(value if value.isascii() else unicodedata.normalize("NFC", value))


def cost(value):
    whole, decimals = COST.fullmatch(value).groups("")
    return field(f"{whole.lstrip('0') or '0'}.{decimals.rstrip('0'):0<2}")


def token(body):
    shared = b"\1" + text("k1") + text("acme") + text("a1b2c3d4e5")
    shared += (1714557600).to_bytes(8, "big") + (1714559400).to_bytes(8, "big")
    results = []
    for action, customer, skill, amount, quote_id, viewer in json.loads(body)["arguments"]:
        payload = b"".join([shared, text(action), b"\5", field(customer), field(skill), cost(amount), field(quote_id), field(viewer)])
        mac = hashlib.blake2b(payload, digest_size=32, key=KEY, person=b"wb-link-v1").digest()
        results.append(base64.urlsafe_b64encode(payload + mac).rstrip(b"=").decode())
    return json.dumps({"success": True, "num_records": len(results), "results": results})


def measured(work, body):
    def once():
        start = time.process_time()
        work(body)
        return time.process_time() - start

    return min(once() for _ in range(5))


body = open(sys.argv[1], encoding="utf-8").read()
print("first-digest", json.loads(digest(body))["results"][0])
print("first-token", json.loads(token(body))["results"][0])
print("digest", measured(digest, body))
print("token", measured(token, body))
