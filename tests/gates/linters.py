"""Runs the validators and returns what they found, and how much of the templates they actually read."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cfnlint.decode
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner
from cfnlint.template import Template

from finding import VALIDATORS, Finding, shown
from policies import check_policies

# The package in which aws-cdk-lib ships CloudFormation's engine.
ENGINE = VALIDATORS / "node_modules/aws-cdk-lib/node_modules/@aws/cloudformation-validate"


@dataclass(frozen=True)
class Seen:
    """The findings, and the resources each side counted."""

    findings: list[Finding]
    # Each template with the number of resources in it, by our own count.
    templates: list[tuple[str, int]]
    # In the order of the templates.
    cfn_lint_resources: list[int]
    engine_resources: list[int]
    # Rights in policies, each action as often as it occurs.
    actions: int
    # Checkov reports one number for all.
    checkov_resources: int
    checkov_parsing_errors: list[str]


def run_linters(templates: list[Path]) -> Seen:
    """Runs all of them over all templates, side by side: checkov alone takes seconds to start."""
    with tempfile.TemporaryDirectory() as folder, start_checkov(templates, folder) as checkov, start_engine(templates) as engine:
        counts = [(shown(template), count_resources(template)) for template in templates]
        runner = cfn_lint_runner()
        cfn_lint = [cfn_lint_template(runner, template) for template in templates]
        policies, actions = check_policies(templates)
        output = checkov.stdout.read()
        reports = [json.loads(line) for line in engine.stdout]
    if checkov.returncode != 0:
        raise SystemExit(f"checkov ended with {checkov.returncode}")
    if engine.returncode != 0 or len(reports) != len(templates):
        raise SystemExit(f"CloudFormation's engine ended with {engine.returncode} after {len(reports)} of {len(templates)} templates")
    report = json.loads(output)
    results = report.get("results", {})
    # A suppression inside a template is a finding like any other: exceptions.yaml is the only place for exceptions.
    records = results.get("failed_checks", []) + results.get("skipped_checks", [])
    return Seen(
        findings=[finding for findings, _ in cfn_lint for finding in findings]
        + [checkov_finding(record) for record in records]
        + [finding for template, report in zip(templates, reports, strict=True) for finding in engine_findings(template, report)]
        + policies,
        templates=counts,
        cfn_lint_resources=[resources for _, resources in cfn_lint],
        engine_resources=[report["metadata"]["resourcesScanned"] for report in reports],
        actions=actions,
        # With nothing to check, checkov answers with bare counts and no summary.
        checkov_resources=report.get("summary", report)["resource_count"],
        checkov_parsing_errors=[shown(Path(file)) for file in results.get("parsing_errors", [])],
    )


def count_resources(template: Path) -> int:
    """The logical IDs under `Resources`, a repeated one as often as it occurs; 0 if there is nothing to read."""
    try:
        # Pairs instead of objects: an object would drop repeated keys.
        members = json.loads(template.read_text(), object_pairs_hook=list)
        return sum(len(value) for key, value in members if key == "Resources")
    except (ValueError, TypeError):
        return 0


def cfn_lint_runner() -> Runner:
    # Mandatory means that no metadata in a template can switch a rule off.
    return Runner(ConfigMixIn([], include_checks=["I"], mandatory_checks=["E", "W", "I"]))


def cfn_lint_template(runner: Runner, path: Path) -> tuple[list[Finding], int]:
    """The findings, and the resources cfn-lint saw: none in a template it cannot parse."""
    template, matches = cfnlint.decode.decode(str(path))
    resources = {}
    if not matches:
        resources = Template(str(path), template).get_resources()
        matches = runner.validate_template(template)
    return [cfn_lint_finding(match, path, resources) for match in matches], len(resources)


def cfn_lint_finding(match, template: Path, resources: dict) -> Finding:
    path = [str(part) for part in getattr(match, "path", None) or []]
    section, id = path[:2] if len(path) >= 2 else ("Template", "-")
    type = resources[id]["Type"] if section == "Resources" and id in resources else section
    place = "/".join(path[2:])
    return Finding(match.rule.id, shown(template), id, type, f"{match.message}{f' at {place}' if place else ''}")


def start_checkov(templates: list[Path], folder: str) -> subprocess.Popen:
    """Starts it in an empty folder, so that no configuration file affects it, and with nothing to fetch from the network."""
    command = [sys.executable, "-m", "checkov.main", "--framework", "cloudformation", "--skip-download", "--compact", "--soft-fail"]
    files = [str(template.resolve()) for template in templates]
    # What it cannot parse is also in its report; its log would repeat it.
    environment = os.environ | {"LOG_LEVEL": "CRITICAL"}
    return subprocess.Popen([*command, "--output", "json", "--file", *files], cwd=folder, env=environment, stdout=subprocess.PIPE)


def checkov_finding(record: dict) -> Finding:
    type, _, id = record["resource"].rpartition(".")
    message = record["check_name"]
    if record["check_result"]["result"] == "SKIPPED":
        message += " (suppressed in the template, which is not the place for it)"
    return Finding(record["check_id"], shown(Path(record["file_abs_path"])), id, type, message)



def start_engine(templates: list[Path]) -> subprocess.Popen:
    command = ["node", Path(__file__).with_name("engine.cjs"), ENGINE, *(template.resolve() for template in templates)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def engine_findings(template: Path, report: dict) -> list[Finding]:
    """Its errors and warnings. What it calls information are remarks on every resource, such as that no agent's notes are on it."""
    serious = [found for found in report["diagnostics"] if found["severity"] in ("FATAL", "ERROR", "WARN")]
    return [engine_finding(template, found) for found in serious]


def engine_finding(template: Path, found: dict) -> Finding:
    entity = found.get("entity", {})
    id, type = entity.get("logicalId", "-"), entity.get("resourceType") or entity.get("entityType", "Template")
    place = found.get("propertyPath")
    # It has many of cfn-lint's rules under the same names, but not always with the same results.
    return Finding(f"engine:{found['ruleId']}", shown(template), id, type, f"{found['message']}{f' at {place}' if place else ''}")
