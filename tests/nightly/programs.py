"""Tests of the workspace at full size: simulations, the fleet, property tests, drawn inputs.

Which they are is derived from their sources, so a new simulation needs no entry here.
"""

import functools
import json
import random
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from jobs import LOGS, ROOT, Job, Outcome, folder_of, packages, size


@dataclass
class Source:
    """A file of an integration test."""

    package: str
    folder: Path
    target: str
    # The path of its module inside the target, or nothing for the whole target.
    module: str
    text: str


def jobs() -> list[Job]:
    found: list[Job] = []
    for source in sources():
        if re.search(r"\bseeds\(", source.text):
            seeds = size("SIMULATION_SEEDS", 2000)
            variables = {"SIMULATION_SEEDS": str(seeds)}
            found.append(Program(f"simulation:{source.package}", f"{seeds} seeds", source, variables))
        elif "FLEET_TENANTS" in source.text and source.module:
            tenants, seeds = size("FLEET_TENANTS", 1000), size("FLEET_SEEDS", 200)
            variables = {"FLEET_TENANTS": str(tenants), "FLEET_SEEDS": str(seeds)}
            found.append(Program(f"fleet:{source.package}", f"{tenants} tenants, {seeds} seeds", source, variables, release=True))
        elif "RANDOM_SEED" in source.text:
            seed = random.randrange(1 << 48)
            found.append(Program(f"drawn:{source.package}", f"RANDOM_SEED={seed}", source, {"RANDOM_SEED": str(seed)}))
    tested: dict[str, list[Source]] = {}
    for source in sources():
        if "use proptest::" in source.text:
            tested.setdefault(source.package, []).append(source)
    found.extend(Properties(f"properties:{package}", "", files) for package, files in tested.items())
    return sorted(found, key=lambda job: (job.name.startswith("properties"), job.name))


@dataclass
class Program(Job):
    """One run of a test."""

    source: Source
    variables: dict[str, str]
    # For millions of requests, optimizing takes less time than it saves.
    release: bool = False

    def run(self) -> Outcome:
        arguments = [f"{self.source.module}::"] if self.source.module else []
        program = executable(self, self.source, self.release)
        code = self.execute([program, *arguments, "--nocapture"], self.variables, self.source.folder, append=True)
        return Outcome(code == 0, last_words(self.log, code))


@dataclass
class Properties(Job):
    """Property tests, again and again with new random inputs, for some minutes. proptest keeps the seeds of failures in files."""

    sources: list[Source]

    def __post_init__(self) -> None:
        self.minutes = size("NIGHTLY_MINUTES", 10)
        self.size = f"{self.minutes} min"

    def run(self) -> Outcome:
        programs = [(executable(self, source), f"{source.module}::", source.folder) for source in self.sources]
        end, runs = time.monotonic() + self.minutes * 60, 0
        while runs == 0 or time.monotonic() < end:
            for program, module, folder in programs:
                code = self.execute([program, module], folder=folder, append=True)
                if code != 0:
                    return Outcome(False, last_words(self.log, code))
            runs += 1
        return Outcome(True, f"{runs} runs, all with different inputs")


def last_words(log: Path, code: int) -> str:
    """What the log says about the result: the last line that a test printed about it, or the first failure."""
    lines = log.read_text(errors="replace").splitlines()
    if code != 0:
        failure = [index for index, line in enumerate(lines) if " panicked at " in line]
        return lines[failure[0] + 1][:120] if failure and failure[0] + 1 < len(lines) else f"exit code {code}"
    # Before it runs a single test, the harness prints its name without a line break.
    words = [re.sub(r"^test \S+ \.\.\. ", "", line) for line in lines]
    said = [word for word in words if word.strip() and word != "ok" and not re.match(r"running \d+ test|test ", word)]
    passed = [line for line in lines if line.startswith("test result: ok")]
    return re.sub(r"\s+", " ", said[-1])[:120] if said else (passed or ["passed"])[-1].split(";")[0]


@functools.cache
def sources() -> list[Source]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.rs"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True,
    ).stdout
    paths = [ROOT / path for path in sorted(set(listed.split("\0"))) if path]
    found = []
    for package in packages():
        folder = folder_of(package)
        for target in package["targets"]:
            if target["kind"] != ["test"]:
                continue
            root = Path(target["src_path"])
            # `tests/wire/main.rs` has its modules next to it, `tests/wire.rs` in `tests/wire/`.
            inside = root.parent if root.name == "main.rs" else root.with_suffix("")
            for path in paths:
                if path != root and not path.is_relative_to(inside):
                    continue
                module = "" if path == root else "::".join(path.relative_to(inside).with_suffix("").parts)
                text = path.read_text()
                found.append(Source(package["name"], folder, target["name"], module.removesuffix("::mod"), text))
    return found


@functools.cache
def built(target: str, release: bool) -> dict[str, Path]:
    """The executables of the tests with this name, by package, with the features that scripts/test builds them with."""
    LOGS.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "test", "--workspace", "--locked", "--no-run", "--message-format=json", "--test", target]
    command += ["--release"] if release else []
    with (LOGS / "build.log").open("a") as log:
        output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, check=True).stdout
    names = {package["id"]: package["name"] for package in packages()}
    messages = [json.loads(line) for line in output.splitlines()]
    programs = [message for message in messages if message["reason"] == "compiler-artifact" and message["executable"]]
    return {names[message["package_id"]]: Path(message["executable"]) for message in programs if message["target"]["kind"] == ["test"]}


def executable(job: Job, source: Source, release: bool = False) -> Path:
    job.log.unlink(missing_ok=True)
    return built(source.target, release)[source.package]
