"""How fast pyarrow turns a day's file into Arrow, on one core: tests/athena/speed.py FILE; prints CPU seconds, the median of 5.

The benchmark of a connector writes FILE and compares this with its own reader.
"""

import statistics
import sys
import time

import pyarrow as pa
import pyarrow.json

TEXTS = ["enterprise_id", "team_id", "date", "user_id", "email_address"]
FLAGS = ["is_guest", "is_billable_seat", "is_active", "is_active_ios", "is_active_android", "is_active_desktop"]
FLAGS += ["is_active_apps", "is_active_workflows", "is_active_slack_connect"]
COUNTS = ["reactions_added_count", "messages_posted_count", "channel_messages_posted_count", "files_added_count", "total_calls_count"]
COUNTS += ["slack_calls_count", "slack_huddles_count", "search_count", "date_claimed"]
SCHEMA = pa.schema(
    [(name, pa.string()) for name in TEXTS] + [(name, pa.bool_()) for name in FLAGS] + [(name, pa.int64()) for name in COUNTS]
)


def read(path: str) -> int:
    parse = pa.json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore")
    with pa.OSFile(path) as file, pa.CompressedInputStream(file, "gzip") as text:
        return pa.json.read_json(text, pa.json.ReadOptions(use_threads=False), parse).num_rows


def main(path: str) -> None:
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        rows = read(path)
        seconds.append(time.process_time() - start)
    print(rows, statistics.median(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
