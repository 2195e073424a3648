"""Runs what takes too long for scripts/test, and prints one table: what, size, result, time. Exits 1 if something failed."""

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import fuzzing
import mutation
import programs
from jobs import LOGS, ROOT, Job, Outcome

SIZES = """\
environment variables, with the size of a full night:
  SIMULATION_SEEDS=2000   histories per simulation
  FLEET_TENANTS=1000      tenants of the fleet that is deployed by a killed deployer
  FLEET_SEEDS=200         how often it is deployed, each time with different faults
  NIGHTLY_MINUTES=10      minutes per fuzz target, and per crate with property tests

Logs are in target/nightly/logs, the corpora of the fuzz targets in target/nightly/corpora.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/nightly", description=__doc__, epilog=SIZES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="list the jobs and their sizes, and run nothing")
    parser.add_argument(
        "--only", metavar="NAME", nargs="+", default=[], help="run only these jobs, or all of a kind, such as `mutants`"
    )
    arguments = parser.parse_args()
    jobs = [*programs.jobs(), *fuzzing.jobs(), *mutation.jobs()]
    for name in arguments.only:
        if not any(job.is_named(name) for job in jobs):
            parser.error(f"there is no job {name!r}; scripts/nightly --list shows the jobs")
    if arguments.only:
        jobs = [job for job in jobs if any(job.is_named(name) for name in arguments.only)]
    if arguments.list:
        print(table([(job.name, job.size) for job in jobs], ("job", "size")))
        return 0
    return run(jobs)


def run(jobs: list[Job]) -> int:
    """Runs all jobs, also after one has failed."""
    rows, failed = [], 0
    for number, job in enumerate(jobs, 1):
        say(f"{number} of {len(jobs)}: {job.name} ({job.size})")
        start = time.monotonic()
        outcome = watched(job, start)
        took = time.monotonic() - start
        if not outcome.passed:
            failed += 1
            say(f"{job.name} FAILED: {outcome.result}; see {job.log.relative_to(ROOT) if job.log.is_relative_to(ROOT) else job.log}")
        rows.append((job.name, job.size, ("" if outcome.passed else "FAILED: ") + outcome.result, duration(took)))
    print(table(rows, ("what", "size", "result", "time")))
    print(f"nightly: {len(jobs)} jobs, {failed} failed")
    return 1 if failed else 0


def watched(job: Job, start: float) -> Outcome:
    """Runs a job, and says once a minute that it still runs."""
    LOGS.mkdir(parents=True, exist_ok=True)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(60):
            progress = job.progress()
            say(f"{job.name}: {duration(time.monotonic() - start)}{', ' if progress else ''}{progress}")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return job.run()
    except subprocess.CalledProcessError as error:
        return Outcome(False, f"`{error.cmd[0]}` ended with {error.returncode}")
    finally:
        done.set()
        watcher.join()


def table(rows: list[tuple[str, ...]], head: tuple[str, ...]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [head, tuple("-" * width for width in widths), *rows]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in lines)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def say(text: str) -> None:
    print(f"nightly: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.chdir(Path(ROOT))
    sys.exit(main())
