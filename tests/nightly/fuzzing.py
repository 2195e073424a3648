"""Fuzzing, guided by coverage. The targets are the tests of the package `fuzz`.

libFuzzer finds inputs that reach new code, and keeps them in a corpus from which the next night continues. Only the crates of the workspace are
compiled with counters, so everything that they depend on comes from the target folder of cargo test, and a stable compiler is enough: unlike
sanitizers, which code without `unsafe` hardly needs, counters are not an unstable feature.
"""

import functools
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from jobs import LOGS, OUT, ROOT, Job, Outcome, folder_of, packages, size

PACKAGE = "fuzz"

# Seeds of a target that are elsewhere in the repository, in addition to tests/fuzz/seeds/TARGET.
SEEDS = {"tenant_file": "stacks/**/*.yaml"}


def jobs() -> list[Job]:
    (package,) = (package for package in packages() if package["name"] == PACKAGE)
    targets = [target["name"] for target in package["targets"] if target["kind"] == ["test"]]
    return [Fuzzing(f"fuzz:{target}", "", target, folder_of(package)) for target in targets]


@dataclass
class Fuzzing(Job):
    """One fuzz target, for some minutes."""

    target: str
    folder: Path

    def __post_init__(self) -> None:
        self.minutes = size("NIGHTLY_MINUTES", 10)
        self.size = f"{self.minutes} min"

    def run(self) -> Outcome:
        program = built()[self.target]
        corpus, failures = OUT / "corpora" / self.target, OUT / "failures" / self.target
        for folder in (corpus, failures):
            folder.mkdir(parents=True, exist_ok=True)
        # libFuzzer reads folders.
        seeds = OUT / "seeds" / self.target
        seeds.mkdir(parents=True, exist_ok=True)
        for path in [*(self.folder / "seeds" / self.target).glob("*"), *ROOT.glob(SEEDS.get(self.target, "-"))]:
            (seeds / re.sub(r"\W", "-", str(path.relative_to(ROOT)))).write_bytes(path.read_bytes())
        options = [f"-max_total_time={self.minutes * 60}", "-timeout=20", "-max_len=65536", "-print_final_stats=1", f"-artifact_prefix={failures}/"]
        code = self.execute([program, corpus, seeds, *options])
        text = self.log.read_text(errors="replace")
        if code != 0:
            kept = re.search(r"Test unit written to (\S+)", text)
            return Outcome(False, f"fails for {kept[1]}" if kept else f"exit code {code}")
        tried = re.search(r"stat::number_of_executed_units: (\d+)", text)
        edges = re.findall(r"cov: (\d+)", text)
        inputs = sum(1 for _ in corpus.iterdir())
        return Outcome(True, f"{int(tried[1]):,} inputs, {edges[-1] if edges else '?'} edges covered, {inputs} inputs kept")


@functools.cache
def built() -> dict[str, Path]:
    LOGS.mkdir(parents=True, exist_ok=True)
    targets = [argument for job in jobs() for argument in ("--test", job.target)]
    command = [
        "cargo", "test", "--workspace", "--locked", "--no-run", "--message-format=json", "--features", f"{PACKAGE}/libfuzzer",
        "--config", f"build.rustc-workspace-wrapper='{ROOT / 'tests/nightly/coverage'}'", *targets,
    ]  # fmt: skip
    with (LOGS / "build-fuzz.log").open("w") as log:
        output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, check=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    programs = [message for message in messages if message["reason"] == "compiler-artifact" and message["executable"]]
    return {message["target"]["name"]: Path(message["executable"]) for message in programs if message["target"]["kind"] == ["test"]}
