"""The stock tools deploy our cloud assemblies, and so does ours: each against an emulator of AWS that this starts and stops.

Usage: deploy.py. scripts/test calls it, after scripts/tools cdk local. The functions' code is a placeholder; nothing here runs it.
"""

import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tomllib
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".tools/venv/bin"
CDK = ROOT / ".tools/node/node_modules/.bin/cdk"
ACCOUNT, REGION = "000000000000", "us-east-1"
EXAMPLE = (ROOT / "stacks/tenants/example.yaml").read_text()
# The emulator knows every resource of the first system; later ones have QuickSight's, and resources that functions create.
SYSTEM = re.search(r"^systems:\n  ([a-z-]+):$", EXAMPLE, re.MULTILINE).group(1)
STACK = f"example-{SYSTEM}"
BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
# Without these the CLIs wait for credentials of a machine in EC2, ask for notices and report their use.
QUIET = {"AWS_EC2_METADATA_DISABLED": "true", "CDK_DISABLE_CLI_TELEMETRY": "true", "CI": "true", "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
# No assembly is read from a folder with personal settings.
PLACES = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesize(folder)
        for way in (stock_cdk, stock_aws, own, environments):
            with Emulator(folder) as emulator:
                way(emulator, folder)
            print(f"deploy: {way.__doc__}: passed")
    return 0


def stock_cdk(aws: "Emulator", folder: Path) -> None:
    """cdk deploys and destroys the assembly"""
    options = ["--no-notices", "--no-color"]
    aws.run(CDK, "bootstrap", f"aws://{ACCOUNT}/{REGION}", *options)
    assembly = ["--app", str(folder / "cfn-out/example"), "--all", *options]
    aws.run(CDK, "deploy", "--require-approval", "never", *assembly)
    expect(aws.status(), "CREATE_COMPLETE", "after cdk deploy")
    aws.run(CDK, "destroy", "--force", *assembly)
    expect(aws.status(), None, "after cdk destroy")


def stock_aws(aws: "Emulator", folder: Path) -> None:
    """aws cloudformation deploys the template with its parameters"""
    assembly = folder / "cfn-out/example"
    aws.aws("s3", "mb", f"s3://{BUCKET}")
    for code in (folder / "cfn-out/_assets").glob("*.zip"):
        aws.aws("s3", "cp", str(code), f"s3://{BUCKET}/{code.name}")
    template, parameters = (assembly / f"{STACK}.{kind}.json" for kind in ("template", "parameters"))
    aws.aws(
        "cloudformation", "deploy", "--stack-name", STACK, "--template-file", str(template),
        "--parameter-overrides", f"file://{parameters}", "--capabilities", "CAPABILITY_IAM",
    )  # fmt: skip
    expect(aws.status(), "CREATE_COMPLETE", "after aws cloudformation deploy")
    code = json.loads(aws.aws("cloudformation", "describe-stacks", "--stack-name", STACK))["Stacks"][0]["Parameters"]
    given = dict(pair.split("=", 1) for pair in json.loads(parameters.read_text()))
    expect({it["ParameterKey"]: it["ParameterValue"] for it in code if it["ParameterKey"] in given}, given, "parameters of the stack")


def own(aws: "Emulator", folder: Path) -> None:
    """scripts/deploy's command brings the platform and two tenants up, shows one change, rolls back a failure, and leaves nothing behind"""
    deploy = lambda *arguments: aws.own("deploy", *arguments)
    deploy("--bootstrap")
    printed = deploy("--all", "--yes")
    assert printed.endswith("2 deployed, 0 failed, 0 not started\n"), printed
    said = aws.said("destroy", "platform", "--yes", code=2)
    assert "all tenants share the platform, and example, second still have stacks here" in said, said
    expect(deploy("second", "--plan"), f"second-{SYSTEM}: no changes\n", "a plan without a change")

    template = folder / f"cfn-out/second/second-{SYSTEM}.template.json"
    synthesized = template.read_text()
    changed = json.loads(synthesized)
    changed["Resources"]["Reload"]["Properties"]["MemorySize"] = 1024
    template.write_text(json.dumps(changed))
    plan = deploy("second", "--plan")
    assert "  ~ Reload (AWS::Lambda::Function)" in plan and "added" not in plan and "removed" not in plan, plan
    assert deploy("--all", "--yes").startswith(f"example  deployed    {STACK} unchanged\nsecond   deployed    second-{SYSTEM} updated\n")

    broken = json.loads(synthesized)
    nobody = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody"
    broken["Resources"]["Broken"] = {"Type": "Custom::Nobody", "Properties": {"ServiceToken": nobody}}
    template.write_text(json.dumps(broken))
    said = aws.said("deploy", "second", code=1).strip().splitlines()[-1]
    assert said.startswith(f"error: second-{SYSTEM} ended as UPDATE_ROLLBACK_COMPLETE: Broken (Custom::Nobody): "), said

    template.write_text(synthesized)
    drift(aws)
    holdings(aws, folder)
    keeping(aws)
    for tenant in ("example", "platform"):
        aws.own("destroy", tenant, "--yes", "--with-data")
    stacks = json.loads(aws.aws("cloudformation", "describe-stacks"))["Stacks"]
    expect([it["StackName"] for it in stacks if it["StackStatus"] != "DELETE_COMPLETE"], [], "stacks after destroy")
    for command, key in KINDS.items():
        # Some commands print nothing at all if there is nothing to list.
        left = json.loads(aws.aws(*command.split()) or "{}").get(key, [])
        # The role for API Gateway's logs is kept, because the APIs of others in the account may use it.
        left = [it for it in left if not (key == "Roles" and it["RoleName"].startswith("ferrostack-platform-GatewayRole-"))]
        expect(left, [], f"aws {command} after destroy")


# Accounts and regions of the environments: the first is the caller's own, and the others are reached through a role.
ENVIRONMENTS = {"home": (ACCOUNT, REGION), "abroad": (ACCOUNT, "eu-west-1"), "partner": ("111122223333", REGION)}


def environments(aws: "Emulator", folder: Path) -> None:
    """one command deploys six tenants to three environments, a wrong account is refused, and everything is torn down"""
    file, tenants, out = folder / "environments.yaml", folder / "tenants", folder / "cfn-out-environments"
    tenants.mkdir()
    entries = (
        f'{name}:\n  account: "{account}"\n  region: {region}\n  role: arn:aws:iam::{account}:role/deployer\n'
        for name, (account, region) in ENVIRONMENTS.items()
    )
    file.write_text("".join(entries))
    example = (folder / "example.yaml").read_text()
    places = {}
    for number, (name, place) in enumerate([*ENVIRONMENTS.items()] * 2):
        places[f"t{number}"] = place
        (tenants / f"t{number}.yaml").write_text(example.replace("tenant: example\n", f"tenant: t{number}\nenvironment: {name}\n", 1))
    synth = ["cargo", "run", "--quiet", "--locked", "--", "synth", "--environments", str(file), "--tenants", str(tenants)]
    subprocess.run([*synth, "--out", str(out), "--lambdas", str(folder / "lambdas")], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    for account in {account for account, _ in ENVIRONMENTS.values()}:
        trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]}
        aws.aws_in(account, REGION, "iam", "create-role", "--role-name", "deployer", "--assume-role-policy-document", json.dumps(trust))
    run = lambda *arguments: aws.try_to(folder / "ferrostack-deploy", *arguments, "--out", out)

    def passed(*arguments: str) -> str:
        done = run(*arguments)
        expect(done.returncode, 0, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    passed("deploy", "--bootstrap", "--yes")
    printed = passed("deploy", "--all", "--yes")
    assert printed.endswith("6 deployed, 0 failed, 0 not started\n"), printed
    deployed = {
        (account, region, stack["StackName"])
        for account, region in ENVIRONMENTS.values()
        for stack in json.loads(aws.aws_in(account, region, "cloudformation", "describe-stacks"))["Stacks"]
    }
    tenants_there = {(account, region, f"{tenant}-{SYSTEM}") for tenant, (account, region) in places.items()}
    platforms = {(account, region, "ferrostack-platform") for account, region in ENVIRONMENTS.values()}
    expect(deployed, tenants_there | platforms, "stacks of the environments")
    expect(passed("status").count("CREATE_COMPLETE"), 6, "stacks that status shows")

    manifest = out / "t0/manifest.json"
    manifest.write_text(manifest.read_text().replace(f"aws://{ACCOUNT}/", "aws://999988887777/"))
    refused = run("deploy", "t0")
    expect((refused.returncode, "the environment is account 999988887777" in refused.stderr), (2, True), f"a wrong account: {refused.stderr}")
    manifest.write_text(manifest.read_text().replace("aws://999988887777/", f"aws://{ACCOUNT}/"))
    for tenant in [*places, *(f"platform.{name}" for name in ENVIRONMENTS)]:
        passed("destroy", tenant, "--yes", "--with-data")
    for account, region in ENVIRONMENTS.values():
        stacks = json.loads(aws.aws_in(account, region, "cloudformation", "describe-stacks"))["Stacks"]
        expect([it["StackName"] for it in stacks if it["StackStatus"] != "DELETE_COMPLETE"], [], f"stacks in {account} {region} after destroy")


# Commands of the AWS CLI that list what stacks create, with the key of the list.
KINDS = {
    "apigateway get-rest-apis": "items",
    "cognito-idp list-user-pools --max-results 9": "UserPools",
    "dynamodb list-tables": "TableNames",
    "iam list-roles": "Roles",
    "lambda list-functions": "Functions",
    "logs describe-log-groups": "logGroups",
    "s3api list-buckets": "Buckets",
    "scheduler list-schedules": "Schedules",
    "secretsmanager list-secrets": "SecretList",
    "sqs list-queues": "QueueUrls",
    "ssm describe-parameters": "Parameters",
}


def drift(aws: "Emulator") -> None:
    drift = lambda: aws.own("status", "example", "--drift").split("  drift ")[1].split("  ")[0].strip()
    expect(drift(), "none", "drift of what nobody touched")
    functions = json.loads(aws.aws("lambda", "list-functions"))["Functions"]
    function = next(it["FunctionName"] for it in functions if it["FunctionName"].startswith(f"{STACK}-Reload"))
    aws.aws("lambda", "update-function-configuration", "--function-name", function, "--memory-size", "333")
    expect(drift(), "Reload MODIFIED", "drift of a function that was changed by hand")


def holdings(aws: "Emulator", folder: Path) -> None:
    """A tenant with one of each that holds data, and slots of the platform's table: what destroy says about them, deletes, and leaves to others."""
    key = {"AttributeName": "id"}
    table = {"BillingMode": "PAY_PER_REQUEST", "KeySchema": [key | {"KeyType": "HASH"}], "AttributeDefinitions": [key | {"AttributeType": "S"}]}
    jobs = {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": table | {"DeletionProtectionEnabled": True}}
    letters = {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"}
    users = {"Type": "AWS::Cognito::UserPool", "DeletionPolicy": "Retain", "Properties": {"UserPoolName": "guests", "DeletionProtection": "ACTIVE"}}
    slots = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/ferrostack/platform/slot-table"}
    template = {"Parameters": {"SlotTable": slots}, "Resources": {"Jobs": jobs, "Letters": letters, "Users": users}}
    write_assembly(folder / "cfn-out/third", "third-reports", template)
    code, said = aws.at_terminal("", "deploy", "third")
    expect((code, " left" in said), (0, True), f"a deployment with a bar that shows how long it takes yet\n{said}")
    place = folder / "cfn-out/third/third-reports.template.json"
    place.write_text(json.dumps(template | {"Resources": {"Letters": letters, "Users": users}}))
    for settings, red in (({}, True), ({"NO_COLOR": "1"}, False)):
        code, said = aws.at_terminal("", "deploy", "third", "--plan", **settings)
        expect((code, "- Jobs (AWS::DynamoDB::Table)" in said, "\x1b[31m" in said), (0, True, red), f"data at risk in red, with {settings}\n{said}")
    place.write_text(json.dumps(template))
    for settings, bar in (({}, True), ({"CI": "true"}, False)):
        code, said = aws.at_terminal("", "status", "third", **settings)
        expect((code, " 00:00:0" in said), (0, bar), f"a bar at a terminal and plain lines in CI, with {settings}\n{said}")
    table = aws.aws("ssm", "get-parameter", "--name", slots["Default"], "--query", "Parameter.Value", "--output", "text").strip()
    for slot, tenant in (("slot#0", "third"), ("slot#1", "example"), ("waiting#third", ""), ("waiting#example", "")):
        item = {"slot": {"S": slot}} | ({"tenant": {"S": tenant}} if tenant else {"since": {"N": "1"}})
        aws.aws("dynamodb", "put-item", "--table-name", table, "--item", json.dumps(item))
    code, said = aws.at_terminal("thrid", "destroy", "third", "--with-data")
    expect((code, "nothing was deleted: the answer was not `third`" in said), (2, True), f"a teardown that nobody agreed to\n{said}")
    code, said = aws.at_terminal("third", "destroy", "third", "--with-data")
    expect((code, " 00:00:0" in said), (0, True), f"a teardown with a bar that shows the time\n{said}")
    for held in ("(0 items, 0 bytes, up to six hours ago)", "(about 0 messages)", "(guests, about 0 users)", "slots to return: slot#0, waiting#third in"):
        assert held in said, said
    left = json.loads(aws.aws("dynamodb", "scan", "--table-name", table))["Items"]
    expect(sorted(it["slot"]["S"] for it in left), ["slot#1", "waiting#example"], "what others hold after destroy")


def keeping(aws: "Emulator") -> None:
    """A teardown without the data: what is left is what it listed."""
    said = aws.said("destroy", "second", "--yes")
    kept = {line.split()[3] for line in said.splitlines() if line.startswith("  kept: ")}
    queues = json.loads(aws.aws("sqs", "list-queues", "--queue-name-prefix", "second-"))["QueueUrls"]
    secrets = [it["Name"] for it in json.loads(aws.aws("secretsmanager", "list-secrets"))["SecretList"] if it["Name"].startswith("second-")]
    expect({*queues, *secrets}, kept, "what is left of a tenant whose data was kept")
    for queue in queues:
        aws.aws("sqs", "delete-queue", "--queue-url", queue)
    for secret in secrets:
        aws.aws("secretsmanager", "delete-secret", "--secret-id", secret, "--force-delete-without-recovery")


def write_assembly(folder: Path, stack: str, template: dict) -> None:
    """An assembly of one stack without functions."""
    folder.mkdir(parents=True)
    (folder / f"{stack}.template.json").write_text(json.dumps(template))
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": f"{stack}.template.json", "stackName": stack}}
    (folder / "manifest.json").write_text(json.dumps({"version": "34.0.0", "artifacts": {stack: artifact}}))


def synthesize(folder: Path) -> None:
    """The assemblies of the example with the one system of which the emulator knows every resource, of a second tenant like it, and of
    the platform, with a placeholder for every function's code."""
    for architecture in ("x86_64", "arm64"):
        lambdas = folder / "lambdas" / architecture
        lambdas.mkdir(parents=True)
        for main in ROOT.glob("lambdas/*/*/src/main.rs"):
            package = tomllib.loads((main.parent.parent / "Cargo.toml").read_text())["package"]["name"]
            with zipfile.ZipFile(lambdas / f"{package}.zip", "w") as code:
                code.writestr("bootstrap", "#!/bin/sh\n")
    # Comments belong to the system below them, so the example ends before the first line of the second one that is not indented deeper.
    head, first = EXAMPLE.split(f"\n  {SYSTEM}:\n", 1)
    example = f"{head}\n  {SYSTEM}:\n" + re.split(r"^  (?! )", first, maxsplit=1, flags=re.MULTILINE)[0]
    (folder / "example.yaml").write_text(example)
    (folder / "second.yaml").write_text(example.replace("tenant: example", "tenant: second", 1))
    synth = ["cargo", "run", "--quiet", "--locked", "--", "synth", "platform", str(folder / "example.yaml"), str(folder / "second.yaml")]
    options = ["--out", str(folder / "cfn-out"), "--lambdas", str(folder / "lambdas")]
    subprocess.run([*synth, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    build(folder)


def build(folder: Path) -> None:
    """Copies the deployer into the folder."""
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--workspace", "--bin", "ferrostack-deploy"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    shutil.copy(target / "debug/ferrostack-deploy", folder / "ferrostack-deploy")


class Emulator:
    """MiniStack on a free port of loopback, without the state of an earlier one. IAM is not enforced: `cdk` assumes roles."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __enter__(self) -> "Emulator":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # By this name, since the emulator recognizes the address of a template by its host.
        endpoint = f"http://localhost:{port}"
        home = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0", "MINISTACK_REGION": REGION}
        self.environment = home | {"PATH": os.environ["PATH"]} | CREDENTIALS | QUIET | PLACES | {"AWS_ENDPOINT_URL": endpoint}
        self.log = open(self.folder / "ministack.log", "w+")
        command = [VENV / "python", "-m", "ministack"]
        settings = {"cwd": self.folder, "stdout": self.log, "stderr": self.log, "start_new_session": True}
        self.process = subprocess.Popen(command, env=home | own | CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint}, **settings)
        give_up = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=2).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > give_up:
                    self.__exit__()
                    sys.exit(f"deploy: the emulator did not start:\n{(self.folder / 'ministack.log').read_text()}")
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def run(self, *command: object) -> str:
        done = self.try_to(*command)
        if done.returncode != 0:
            sys.exit(f"deploy: {' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def try_to(self, *command: object) -> subprocess.CompletedProcess:
        settings = {"env": self.environment, "cwd": self.folder, "capture_output": True, "text": True, "timeout": 300}
        return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, **settings)

    def aws(self, *arguments: str) -> str:
        # For SQS it ignores the variable.
        return self.run(VENV / "aws", *arguments, "--endpoint-url", self.environment["AWS_ENDPOINT_URL"])

    def aws_in(self, account: str, region: str, *arguments: str) -> str:
        """The AWS CLI in a different account and region; an access key that is an account's ID is a caller of that account."""
        place = ["env", f"AWS_ACCESS_KEY_ID={account}", f"AWS_REGION={region}", f"AWS_DEFAULT_REGION={region}"]
        return self.run(*place, VENV / "aws", *arguments, "--endpoint-url", self.environment["AWS_ENDPOINT_URL"])

    def own(self, *arguments: str) -> str:
        """What our command prints."""
        return self.deployer(arguments, 0).stdout

    def said(self, *arguments: str, code: int = 0) -> str:
        """What it prints to standard error."""
        return self.deployer(arguments, code).stderr

    def at_terminal(self, answer: str, *arguments: str, **settings: str) -> tuple[int, str]:
        """The exit code, and what a person at a terminal sees who gives this answer."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(ours, (24, 120))
        os.write(ours, f"{answer}\n".encode())
        command = [self.folder / "ferrostack-deploy", *arguments, "--out", self.folder / "cfn-out"]
        environment = {name: value for name, value in self.environment.items() if name != "CI"} | {"TERM": "xterm"} | settings
        seen = b""
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=self.folder) as deployer:
            os.close(theirs)
            try:
                while chunk := os.read(ours, 65536):
                    seen += chunk
            except OSError:
                pass  # What Linux reports at the end of a terminal.
        os.close(ours)
        return deployer.returncode, seen.decode()

    def deployer(self, arguments: tuple[str, ...], code: int) -> subprocess.CompletedProcess:
        done = self.try_to(self.folder / "ferrostack-deploy", *arguments, "--out", self.folder / "cfn-out")
        if done.returncode != code:
            sys.exit(f"deploy: {' '.join(arguments)} ended with {done.returncode}, expected {code}:\n{done.stdout}{done.stderr}")
        return done

    def status(self) -> str | None:
        stacks = json.loads(self.aws("cloudformation", "describe-stacks"))["Stacks"]
        found = [it["StackStatus"] for it in stacks if it["StackName"] == STACK and it["StackStatus"] != "DELETE_COMPLETE"]
        return found[0] if found else None


def expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        sys.exit(f"deploy: {what}: expected {wanted}, found {found}")


if __name__ == "__main__":
    sys.exit(main())
