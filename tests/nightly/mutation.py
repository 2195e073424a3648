"""Mutation testing of the crates that hold rules.

A crate takes part with `[package.metadata.mutants]` in its Cargo.toml; `files` limits it to some sources, `skip` leaves out tests by name,
and `tests` names packages whose tests count; without it, those are the crate's own. At
least 95 % of the mutants that compile must be caught. The others are listed with a reason in `survivors.toml` next to the Cargo.toml; an entry
that is caught, or that is no longer a mutant, is an error.
"""

import json
import os
import re
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from jobs import OUT, ROOT, TARGET, Job, Outcome, folder_of, packages

RATE = 0.95

# Mutants are compiled after the target folder was filled by cargo test, apart from it, and without what only a debugger reads.
BUILD = {"CARGO_TARGET_DIR": str(OUT / "mutants"), "CARGO_PROFILE_DEV_DEBUG": "none"}


def jobs() -> list[Job]:
    return [Mutants(f"mutants:{package['name']}", "all mutants", package) for package in packages() if settings(package) is not None]


def settings(package: dict) -> dict | None:
    return (package["metadata"] or {}).get("mutants")


@dataclass
class Mutants(Job):
    """All mutants of one crate."""

    package: dict

    def __post_init__(self) -> None:
        self.output = OUT / "mutants.out" / self.package["name"]

    def run(self) -> Outcome:
        subprocess.run(["scripts/tools", "mutants"], cwd=ROOT, check=True)
        self.output.mkdir(parents=True, exist_ok=True)
        self.execute(self.command(), BUILD)
        outcomes = self.output / "mutants.out" / "outcomes.json"
        if not outcomes.exists():
            return Outcome(False, "the tests fail without a mutant")
        folder = folder_of(self.package)
        return judge(read_outcomes(outcomes, folder.relative_to(ROOT)), read_survivors(folder), self.log)

    def command(self) -> list[str | Path]:
        files = [f"--file={folder_of(self.package).relative_to(ROOT) / file}" for file in settings(self.package).get("files", [])]
        return [
            ROOT / ".tools/cargo/bin/cargo-mutants", "mutants", f"--package={self.package['name']}", *files,
            f"--test-package={','.join(settings(self.package).get('tests', [self.package['name']]))}",
            f"--output={self.output}", "--gitignore=true", "--no-shuffle", "--colors=never", "--minimum-test-timeout=60",
            # Without documentation tests, which compile one by one.
            "--cargo-arg=--locked", "--cargo-arg=--tests",
            "--", "--", *(argument for name in settings(self.package).get("skip", []) for argument in ("--skip", name)),
        ]  # fmt: skip

    def progress(self) -> str:
        folder = self.output / "mutants.out"
        lines = {name: count_lines(folder / f"{name}.txt") for name in ("caught", "timeout", "missed", "unviable")}
        try:
            total = len(json.loads((folder / "mutants.json").read_text()))
        except (OSError, ValueError):
            return "building"
        return f"{sum(lines.values())} of {total} mutants, {lines['missed']} not caught"


@dataclass
class Outcomes:
    """The names of mutants without line numbers, `src/checks.rs: replace > with >= in over`; a name can occur twice."""

    caught: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    unviable: list[str] = field(default_factory=list)

    @property
    def viable(self) -> int:
        return len(self.caught) + len(self.missed)


def read_outcomes(path: Path, folder: Path) -> Outcomes:
    outcomes = Outcomes()
    # A mutant that never ends is caught.
    places = {"CaughtMutant": outcomes.caught, "Timeout": outcomes.caught, "MissedMutant": outcomes.missed, "Unviable": outcomes.unviable}
    for outcome in json.loads(path.read_text())["outcomes"]:
        if outcome["scenario"] != "Baseline":
            name = outcome["scenario"]["Mutant"]["name"]
            places[outcome["summary"]].append(re.sub(r":\d+:\d+: ", ": ", name.removeprefix(f"{folder}/"), count=1))
    return outcomes


def read_survivors(folder: Path) -> dict[str, str]:
    """The listed survivors of a crate, with their reasons."""
    path = folder / "survivors.toml"
    entries = tomllib.loads(path.read_text())["survivor"] if path.exists() else []
    return {entry["mutant"]: entry["reason"] for entry in entries}


def judge(outcomes: Outcomes, listed: dict[str, str], log: Path) -> Outcome:
    problems = [f"not caught and not listed: {name}" for name in outcomes.missed if name not in listed]
    problems += [f"listed, but caught or not a mutant: {name}" for name in listed if name not in outcomes.missed]
    problems += [f"listed without a reason: {name}" for name, reason in listed.items() if not reason.strip()]
    with log.open("a") as file:
        file.write("\n".join(["", *problems, ""]))
    rate = len(outcomes.caught) / outcomes.viable if outcomes.viable else 0
    counts = f"{len(outcomes.caught)} of {outcomes.viable} caught, {rate:.1%}; {len(listed)} listed, {len(outcomes.unviable)} do not compile"
    if problems:
        return Outcome(False, f"{counts}; {len(problems)} problems, the first: {problems[0]}")
    return Outcome(rate >= RATE, counts)


def count_lines(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0
