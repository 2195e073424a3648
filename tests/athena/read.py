"""Reads the connector's answers with pyarrow and cryptography, as Athena would: tests/athena/read.py FOLDER.

Each file in FOLDER is one answer with what it should say; the connector's wire tests leave them there.
"""

import base64
import json
import sys
from pathlib import Path

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TEXTS = ["enterprise_id", "team_id", "user_id", "email_address", "enterprise_user_id", "enterprise_employee_number"]
OLD_NAMES = {"is_active_ios": "is_active_iOS", "is_active_android": "is_active_Android"}


def main(folder: str) -> None:
    paths = sorted(Path(folder).glob("*.json"))
    if not paths:
        sys.exit(f"read: there is no answer in {folder}; run the connector's wire tests first")
    rows = sum(check(path.name, json.loads(path.read_text())) for path in paths)
    print(f"read: {len(paths)} answers with {rows} rows are what they should be")


def check(name: str, case: dict) -> int:
    answer = case["answer"]
    if "columns" in case:
        same(name, len(schema_of(answer["schema"])), case["columns"])
        return 0
    if "dates" in case:
        partitions = read(answer["partitions"]["schema"], base64.b64decode(answer["partitions"]["records"]))
        same(name, partitions.column("date").to_pylist(), case["dates"])
        return len(partitions)
    if answer["@type"] == "ReadRecordsResponse":
        table = read(answer["records"]["schema"], base64.b64decode(answer["records"]["records"]))
    else:
        key, nonce = (base64.b64decode(answer["encryptionKey"][part]) for part in ("key", "nonce"))
        blocks = [bytes(case["objects"][block["key"]]) for block in answer["remoteBlocks"]]
        same(name, len(blocks), 1)
        table = read(answer["schema"], AESGCM(key).decrypt(nonce, blocks[0], None))
    # Python 3 keeps the whole of an integer, so counters compare exactly.
    records = [json.loads(line) for line in case["records"].splitlines()]
    same(name, table.to_pylist(), [row(record, table.schema, case) for record in records])
    return len(table)


def read(schema: str | dict, records: bytes) -> pa.Table:
    """A block: no stream, only its schema and one batch."""
    known = schema_of(schema)
    if not records:
        return known.empty_table()
    return pa.Table.from_batches([pa.ipc.read_record_batch(pa.py_buffer(records), known)])


def schema_of(text: str | dict) -> pa.Schema:
    encoded = text["schema"] if isinstance(text, dict) else text
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(encoded)))


def row(record: dict, schema: pa.Schema, case: dict) -> dict:
    return {field.name: value(record, field, case) for field in schema}


def value(record: dict, field: pa.Field, case: dict) -> object:
    found = record.get(field.name, record.get(OLD_NAMES.get(field.name)))
    if field.name == "date":
        return case["date"]
    if field.name in TEXTS:
        same(field.name, str(field.type), "string")
        return None if found is None else str(found)
    if field.name.startswith("is_"):
        same(field.name, str(field.type), "string" if case["booleans"] == "text" else "bool")
        return json.dumps(found) if case["booleans"] == "text" and found is not None else found
    same(field.name, str(field.type), "int64")
    return found


def same(name: str, found: object, expected: object) -> None:
    if found != expected:
        sys.exit(f"read: {name}: found {found}, expected {expected}")


main(sys.argv[1])
