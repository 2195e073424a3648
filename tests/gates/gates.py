"""Static gates: a finding of cfn-lint or checkov in a synthesized template is fixed, or listed in exceptions.yaml.

Usage: gates.py [DIR …], by default every folder in cfn-out/; gates.py --also DIR … is those and more. scripts/check calls it in
the virtual environment .tools/gates.
"""

import datetime
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from linters import ROOT, Finding, Seen, run_linters, shown

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    also = arguments[:1] == ["--also"]
    named = [Path(argument) for argument in arguments[also:]]
    # What one folder does not need may be needed by another: only the whole set shows that an entry is unused.
    complete = also or not named
    folders = (sorted(path for path in ROOT.glob("cfn-out/[!_]*") if path.is_dir()) if complete else []) + named
    result = check(folders, HERE / "exceptions.yaml", datetime.date.today(), complete)
    for problem in result.problems:
        print(problem, file=sys.stderr)
    print(result.summary())
    return 1 if result.problems else 0


@dataclass
class Result:
    """What was checked, and one line for each problem."""

    templates: int = 0
    resources: int = 0
    excepted: int = 0
    problems: list[str] = field(default_factory=list)

    def summary(self) -> str:
        verdict = f"{len(self.problems)} problems" if self.problems else "passed"
        return f"gates: {self.templates} templates, {self.resources} resources, {self.excepted} findings excepted: {verdict}"


def check(folders: list[Path], exceptions: Path, today: datetime.date, complete: bool) -> Result:
    """Runs both linters over every template in the folders and compares what they find with the exceptions.

    `complete` says that the folders are all there is, so that an entry which matches nothing is wrong.
    """
    templates = [template for folder in folders for template in sorted(folder.glob("*.template.json"))]
    if not templates:
        where = ", ".join(str(folder) for folder in folders) or "cfn-out/"
        return Result(problems=[f"no template in {where}; write them first: cargo run synth"])
    seen = run_linters(templates)
    entries, problems = read_exceptions(exceptions)
    unexplained = [finding for finding in seen.findings if not any(entry.covers(finding) for entry in entries)]
    problems += incomplete_reading(seen)
    problems += [f"{finding}; fix it, or list it in {shown(exceptions)}" for finding in unexplained]
    problems += [f"{entry} expired on {entry.expires}; fix the finding, or give a new reason and date" for entry in entries if entry.expires < today]
    if complete:
        useless = [entry for entry in entries if not any(entry.covers(finding) for finding in seen.findings)]
        problems += [f"{entry} matches no finding; remove it" for entry in useless]
    resources = sum(count for _, count in seen.templates)
    return Result(len(templates), resources, len(seen.findings) - len(unexplained), problems)


def incomplete_reading(seen: Seen) -> list[str]:
    """A linter that cannot read a template, or a part of it, finds nothing there: this must not count as passed."""
    problems = []
    for (template, expected), cfn_lint in zip(seen.templates, seen.cfn_lint_resources, strict=True):
        if expected == 0:
            problems.append(f"{template}: has no resources")
        if cfn_lint != expected:
            problems.append(f"{template}: has {expected} resources, but cfn-lint saw {cfn_lint}")
    expected = sum(count for _, count in seen.templates)
    if seen.checkov_resources != expected:
        problems.append(f"the templates have {expected} resources, but checkov saw {seen.checkov_resources}")
    return problems + [f"{template}: checkov cannot parse it" for template in seen.checkov_parsing_errors]


@dataclass(frozen=True)
class Entry:
    """A rule that the resources of one type, or one of them, may break until a date."""

    rule: str
    type: str
    reason: str
    expires: datetime.date
    id: str | None = None

    def covers(self, finding: Finding) -> bool:
        return (self.rule, self.type) == (finding.rule, finding.type) and self.id in (None, finding.id)

    def __str__(self) -> str:
        return f"the exception from {self.rule} for {self.type}{f' {self.id}' if self.id else ''}"


def read_exceptions(path: Path) -> tuple[list[Entry], list[str]]:
    """The entries that are well formed, and a problem for each one that is not."""
    entries, problems = [], []
    for number, raw in enumerate(yaml.safe_load(path.read_text()) or [], start=1):
        try:
            entry = Entry(**raw)
        except TypeError:
            problems.append(f"{shown(path)}: entry {number} is {raw}; must have rule, type, reason and expires, and may have id")
            continue
        if not isinstance(entry.expires, datetime.date):
            problems.append(f"{shown(path)}: entry {number} expires on {entry.expires!r}, which is not a date such as 2030-12-31")
        elif not str(entry.reason or "").strip():
            problems.append(f"{shown(path)}: entry {number} has an empty reason; say why {entry.type} may break {entry.rule}")
        else:
            entries.append(entry)
    return entries, problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
