"""Reads CBOR in hex, one item per line, with cbor2, and describes each as one line of JSON.

Values are typed as in vectors/cbor.json; "again" is cbor2's canonical encoding of the value.
"""
import json
import sys

import cbor2


def describe(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"uint": value}
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, list):
        return {"array": [describe(item) for item in value]}
    if isinstance(value, dict):
        return {"map": [[key, describe(item)] for key, item in value.items()]}
    raise TypeError(f"a type that the formats do not have: {value!r}")


for line in sys.stdin:
    item = cbor2.loads(bytes.fromhex(line.strip()))
    again = cbor2.dumps(item, canonical=True).hex()
    print(json.dumps({"value": describe(item), "again": again}))
