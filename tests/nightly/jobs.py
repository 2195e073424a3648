"""What every kind of job needs."""

import functools
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
OUT = TARGET / "nightly"
LOGS = OUT / "logs"


@dataclass
class Outcome:
    """How a job ended."""

    passed: bool
    # What was found, in a few words: `0 violations`.
    result: str


@dataclass
class Job:
    """One row of the table. The name is `kind:subject`."""

    name: str
    # How much is tried: `2000 seeds`.
    size: str

    def is_named(self, name: str) -> bool:
        """Whether `name` means this job: its own name, or that of its kind."""
        return name in (self.name, self.name.split(":")[0])

    @property
    def log(self) -> Path:
        return LOGS / (re.sub(r"[^\w-]+", "-", self.name) + ".log")

    def run(self) -> Outcome:
        raise NotImplementedError

    def progress(self) -> str:
        """How far it is, or nothing if it cannot know."""
        return ""

    def execute(self, command: list[str | Path], variables: dict[str, str] | None = None, folder: Path = ROOT, append: bool = False) -> int:
        """Runs a command, with its output in the log; returns its exit code."""
        with self.log.open("a" if append else "w") as log:
            environment = os.environ | (variables or {})
            return subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT).returncode


def size(variable: str, usual: int) -> int:
    """A number from the environment."""
    return int(os.environ.get(variable, usual))


@functools.cache
def metadata() -> dict:
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version=1"]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def packages() -> list[dict]:
    return sorted(metadata()["packages"], key=lambda package: package["manifest_path"])


def folder_of(package: dict) -> Path:
    return Path(package["manifest_path"]).parent
