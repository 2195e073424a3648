"""The stock CDK CLI reads our cloud assemblies: `cdk ls` names the stacks of the manifest, `cdk synth` returns each template.

Usage: check.py CDK [DIR …], by default every folder in cfn-out/ that holds an assembly. scripts/check calls it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STACK = "aws:cloudformation:stack"

# Without these the CLI waits for credentials of a machine in EC2, asks for notices and reports its use.
OFFLINE = {"AWS_EC2_METADATA_DISABLED": "true", "CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}


def main(cdk: str, arguments: list[str]) -> int:
    manifests = [Path(argument) / "manifest.json" for argument in arguments] or sorted(ROOT.glob("cfn-out/*/manifest.json"))
    problems = [] if manifests else ["no cloud assembly in cfn-out/; write one first: cargo run synth"]
    for manifest in manifests:
        problems += check(cdk, manifest.parent) if manifest.is_file() else [f"{manifest} does not exist; write it first: cargo run synth"]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"cdk: {len(manifests)} assemblies: {f'{len(problems)} problems' if problems else 'passed'}")
    return 1 if problems else 0


def check(cdk: str, assembly: Path) -> list[str]:
    """What is wrong with one assembly, according to the CLI."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {id: artifact for id, artifact in artifacts.items() if artifact["type"] == STACK}
    if not stacks:
        return [f"{assembly}: the manifest has no stack"]
    with tempfile.TemporaryDirectory() as folder:
        # The CLI leaves a lock and a cache in the assembly it reads.
        copy = Path(folder) / "assembly"
        shutil.copytree(assembly, copy)
        try:
            listed = {stack["name"] for stack in json.loads(run(cdk, copy, "ls", "--long", "--json"))}
            names = {artifact["properties"].get("stackName", id) for id, artifact in stacks.items()}
            problems = [] if listed == names else [f"{assembly}: cdk ls lists {sorted(listed)}, the manifest has {sorted(names)}"]
            for id, artifact in stacks.items():
                template = json.loads((assembly / artifact["properties"]["templateFile"]).read_text())
                if json.loads(run(cdk, copy, "synth", "--exclusively", "--json", artifact.get("displayName", id))) != template:
                    problems.append(f"{assembly}: cdk synth {id} does not return the template")
            return problems
        except subprocess.CalledProcessError as error:
            return [f"{assembly}: cdk {error.cmd[1]} ended with {error.returncode}: {error.stderr.strip()}"]
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            return [f"{assembly}: {error}"]


def run(cdk: str, assembly: Path, command: str, *arguments: str) -> str:
    options = ["--app", str(assembly), "--no-notices", "--no-version-reporting", "--no-color"]
    # Any other folder may contain a cdk.json, which the CLI would follow.
    settings = {"env": os.environ | OFFLINE, "cwd": assembly.parent, "capture_output": True, "text": True, "timeout": 120}
    return subprocess.run([cdk, command, *options, *arguments], check=True, **settings).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
