"""Fifty tenants are created exactly once in an emulator of AWS although the deployer is killed twenty times, and its journal agrees.
Twenty of them are deleted with their data although each teardown is killed once.

Usage: kill.py [SEED]. scripts/test calls it, after scripts/tools local. Each tenant has one stack with one queue without a
name, so a second one would be left over. A seed decides at which request each kill happens, and whether that request still takes effect.
"""

import itertools
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import Future
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config

from deploy import ACCOUNT, REGION, Emulator, build, expect, write_assembly

TENANTS = [f"t{number:02}" for number in range(50)]
KILLS = 20


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        for tenant in TENANTS:
            write_assembly(folder / "cfn-out" / tenant, f"{tenant}-demo", {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}}})
        with Emulator(folder) as emulator:
            world = World(emulator, folder)
            chance, deployed = random.Random(seed), 0
            for number in range(KILLS):
                # What is deployed already costs one request for all of it.
                world.kill_at(chance.randint(4, 40), chance.random() < 0.5, DEPLOY)
                deployed = world.agree(f"after kill {number + 1}")
            assert world.half_way and deployed < len(TENANTS), f"the kills tell nothing: {deployed} deployed, {world.half_way} half-way"
            printed = emulator.own(*DEPLOY)
            assert printed.endswith(f"{len(TENANTS)} deployed, 0 failed, 0 not started\n"), printed
            expect(world.agree("at the end"), len(TENANTS), "tenants in the journal")
            expect(dict(world.made()), {f"{tenant}-demo": 1 for tenant in TENANTS}, "stacks that were ever created")
            expect(world.queues(), len(TENANTS), "queues")
            for gone, tenant in enumerate(TENANTS[:KILLS], start=1):
                destroy = ["destroy", tenant, "--yes", "--with-data"]
                world.kill_at(chance.randint(3, 18), chance.random() < 0.5, destroy)
                emulator.own(*destroy)
                left = {f"{it}-demo": "CREATE_COMPLETE" for it in TENANTS[gone:]}
                expect((world.standing(), world.queues()), (left, len(left)), f"what is left after {tenant} is gone")
    seconds = time.monotonic() - began
    print(f"kill: {len(TENANTS)} tenants, {KILLS} kills (seed {seed}), {deployed} deployed by then, half-way {dict(world.half_way)}: passed in {seconds:.0f} s")
    return 0


# The emulator does not throttle. The fewer run at once, the more kills happen near the end of one.
DEPLOY = ["deploy", "--all", "--yes", "--concurrency", "5", "--changes-per-second", "1000", "--looks-per-second", "1000"]


class Gate(ThreadingHTTPServer):
    """Between a deployer and the emulator: kills the deployer at one of its requests, before or after the emulator has received it."""

    # So that closing it waits for requests in progress.
    daemon_threads = False

    def __init__(self, emulator: Emulator, last: int, heard: bool):
        super().__init__(("127.0.0.1", 0), Passage)
        self.emulator, self.last, self.heard = urlsplit(emulator.environment["AWS_ENDPOINT_URL"]), last, heard
        self.numbers, self.deployer = itertools.count(1), Future()
        threading.Thread(target=self.serve_forever, daemon=True).start()


    def handle_error(self, *about: object) -> None:
        # The connections of a killed deployer break.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*about)


class Passage(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        body, gate = self.rfile.read(int(self.headers.get("content-length", 0))), self.server
        number = next(gate.numbers)
        if number < gate.last or (number == gate.last and gate.heard):
            emulator = HTTPConnection(gate.emulator.hostname, gate.emulator.port)
            emulator.request(self.command, self.path, body, dict(self.headers))
            answer = emulator.getresponse()
            said = answer.read()
        if number >= gate.last:
            gate.deployer.result().kill()
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_HEAD = do_POST = do_PUT = pass_on

    def log_message(self, *_: object) -> None:
        pass


class World:
    """What the deployer does, what its journal says about it, and what the emulator has."""

    def __init__(self, emulator: Emulator, folder: Path):
        self.emulator, self.folder = emulator, folder
        # Tenants that had stacks, by status, which the journal did not record as finished.
        self.half_way = Counter()
        # The CLI would take a second per call.
        session, once = botocore.session.Session(), Config(retries={"total_max_attempts": 1})
        given = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "endpoint_url": emulator.environment["AWS_ENDPOINT_URL"]}
        client = lambda service: session.create_client(service, region_name=REGION, config=once, **given)
        self.cloudformation, self.sqs = client("cloudformation"), client("sqs")

    def kill_at(self, request: int, heard: bool, arguments: list[str]) -> None:
        """Kills the deployer at its request with this number, counted from 1: it waits for the answer, which it never receives."""
        command = [self.folder / "ferrostack-deploy", *arguments, "--out", self.folder / "cfn-out"]
        with Gate(self.emulator, request, heard) as gate:
            environment = self.emulator.environment | {"AWS_ENDPOINT_URL": f"http://localhost:{gate.server_port}"}
            settings = {"env": environment, "cwd": self.folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
            with subprocess.Popen(command, stderr=subprocess.STDOUT, text=True, **settings) as deployer:
                gate.deployer.set_result(deployer)
                said, _ = deployer.communicate(timeout=300)
            gate.shutdown()
        expect(deployer.returncode, -9, f"the deployer, killed at request {request} after it said {said}")

    def agree(self, when: str) -> int:
        """How many tenants are deployed according to the journal. They must exist; others may exist too."""
        journal = self.folder / f"cfn-out/journal-{ACCOUNT}-{REGION}.jsonl"
        # The last line may be incomplete.
        lines = journal.read_text().splitlines(keepends=True) if journal.exists() else []
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
        expect(sum(entry["what"] == "run" for entry in entries), min(len(entries), 1), f"runs in the journal {when}")
        expect([entry for entry in entries if entry["what"] == "failed"], [], f"failures in the journal {when}")
        deployed = {entry["tenant"] for entry in entries if entry["what"] == "deployed"}
        stacks = self.standing()
        missing = [tenant for tenant in sorted(deployed) if stacks.get(f"{tenant}-demo") != "CREATE_COMPLETE"]
        expect(missing, [], f"tenants that exist only in the journal {when}")
        self.half_way.update(status for name, status in stacks.items() if name.removesuffix("-demo") not in deployed)
        return len(deployed)

    def standing(self) -> dict[str, str]:
        stacks = (it for page in self.pages("describe_stacks") for it in page["Stacks"])
        return {it["StackName"]: it["StackStatus"] for it in stacks if it["StackStatus"] != "DELETE_COMPLETE"}

    def made(self) -> Counter:
        return Counter(it["StackName"] for page in self.pages("list_stacks") for it in page["StackSummaries"])

    def queues(self) -> int:
        return sum(len(page.get("QueueUrls", [])) for page in self.sqs.get_paginator("list_queues").paginate())

    def pages(self, operation: str):
        return self.cloudformation.get_paginator(operation).paginate()


if __name__ == "__main__":
    sys.exit(main())
