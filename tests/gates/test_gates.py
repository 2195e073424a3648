"""Every way in which the gates must turn red, planted: `.tools/gates/bin/python -m unittest discover tests/gates`."""

import datetime
import json
import tempfile
import unittest
from pathlib import Path

import gates

TODAY = datetime.date(2030, 6, 15)



def queue(**properties: object) -> dict:
    policies = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
    return {"Type": "AWS::SQS::Queue", **policies, "Properties": {"MessageRetentionPeriod": 3600} | properties}


# CKV_AWS_27 requires a key; with it, both linters pass.
CLEAN = {"Resources": {"Failed": queue(KmsMasterKeyId="alias/aws/sqs")}}
BREAKS_CKV_AWS_27 = {"Resources": {"Failed": queue()}}


def entry(**changes: str) -> dict:
    return {"rule": "CKV_AWS_27", "type": "AWS::SQS::Queue", "reason": "planted", "expires": "2030-12-31"} | changes


def check(templates: dict[str, object], entries: list[dict], complete: bool = True) -> gates.Result:
    """Checks templates, given as JSON or text, in a folder of their own against exceptions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for stem, template in templates.items():
            text = template if isinstance(template, str) else json.dumps(template)
            (folder / f"{stem}.template.json").write_text(text)
        exceptions = folder / "exceptions.yaml"
        # In YAML, a date is a date only without quotes, which JSON does not allow.
        lines = [f"- {{rule: {e['rule']}, " + ", ".join(f"{key}: {value}" for key, value in e.items() if key != "rule") + "}" for e in entries]
        exceptions.write_text("\n".join(lines))
        result = gates.check([folder], exceptions, TODAY, complete)
        result.problems = [problem.replace(f"{folder}/", "") for problem in result.problems]
        return result


def broken_rules(result: gates.Result) -> list[str]:
    return [problem.split(": ")[2] for problem in result.problems]


def role(**statement: object) -> dict:
    """A template with a role that has this one right."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    policy = {"PolicyName": "Rights", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]}}
    properties = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}, "Policies": [policy]}
    return {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}, "Failed": CLEAN["Resources"]["Failed"]}}


class Gates(unittest.TestCase):
    maxDiff = None

    def test_a_template_without_findings_passes(self):
        result = check({"clean": CLEAN}, [])
        self.assertEqual(result.problems, [])
        self.assertEqual(result.summary(), "gates: 1 templates, 1 resources, 0 rights: 0 findings, 0 explained, 0 unexplained: passed")

    def test_a_finding_is_a_problem_unless_it_is_listed(self):
        unlisted = check({"queue": BREAKS_CKV_AWS_27}, [])
        self.assertEqual(
            unlisted.problems,
            [
                "queue.template.json: Failed (AWS::SQS::Queue): CKV_AWS_27: Ensure all data stored in the SQS queue is encrypted; "
                "fix it, or list it in exceptions.yaml"
            ],
        )
        listed = check({"queue": BREAKS_CKV_AWS_27}, [entry()])
        self.assertEqual((listed.problems, listed.excepted), ([], 1))

    def test_information_of_cfn_lint_is_a_finding_too(self):
        failed = queue(KmsMasterKeyId="alias/aws/sqs")
        del failed["Properties"]["MessageRetentionPeriod"]
        self.assertIn("I3013", broken_rules(check({"queue": {"Resources": {"Failed": failed}}}, [])))

    def test_rights_that_iam_does_not_know_or_that_allow_nothing_are_findings(self):
        queue_arn = {"Fn::GetAtt": ["Failed", "Arn"]}
        self.assertEqual(check({"role": role(Action=["sqs:SendMessage"], Resource=[queue_arn])}, []).problems, [])
        cases = [
            (dict(Action="sqs:SendMessages", Resource=queue_arn), ["IAM_ACTION"]),
            # One finding says that the action gets nothing, the other that the resource is for nothing.
            (dict(Action="s3:GetObject", Resource=queue_arn), ["IAM_RESOURCE", "IAM_RESOURCE"]),
            (dict(Action="s3:GetObject", Resource="arn:aws:s3:::bucket"), ["IAM_RESOURCE", "IAM_RESOURCE"]),
            (dict(Action="sqs:SendMessage", Resource={"Fn::GetAtt": ["Failed", "QueueName"]}), ["IAM_RESOURCE", "IAM_RESOURCE"]),
            (dict(Action="sqs:SendMessage", Resource=queue_arn, Condition={"StringEquals": {"s3:prefix": "a"}}), ["IAM_CONDITION_KEY"]),
            (dict(Action="sqs:SendMessage", Resource=queue_arn, Condition={"StringEquals": {"aws:SourceAccount": "1"}}), []),
        ]
        for statement, expected in cases:
            with self.subTest(statement):
                rules = broken_rules(check({"role": role(**statement)}, []))
                self.assertEqual([rule for rule in rules if rule.startswith("IAM_")], expected)

    def test_what_only_cloudformations_engine_finds_is_a_finding(self):
        failed = queue(KmsMasterKeyId="alias/aws/sqs", QueueName="arn:aws:sqs:eu-west-1:111122223333:failed")
        rules = broken_rules(check({"queue": {"Resources": {"Failed": failed}}}, []))
        self.assertTrue(any(rule.startswith("engine") for rule in rules), rules)

    def test_entries_that_are_expired_useless_or_malformed_are_problems(self):
        entries = [
            entry(expires="2030-06-14", id="Failed"),
            entry(id="Another"),
            entry(rule="CKV_AWS_1"),
            entry(expires="soon"),
            entry(reason="''"),
            entry(owner="me"),
        ]
        result = check({"queue": BREAKS_CKV_AWS_27}, entries)
        self.assertEqual(
            [problem.split("; ")[0] for problem in result.problems],
            [
                "exceptions.yaml: entry 4 expires on 'soon', which is not a date such as 2030-12-31",
                "exceptions.yaml: entry 5 has an empty reason",
                "exceptions.yaml: entry 6 is {'rule': 'CKV_AWS_27', 'type': 'AWS::SQS::Queue', 'reason': 'planted', "
                "'expires': datetime.date(2030, 12, 31), 'owner': 'me'}",
                "the exception from CKV_AWS_27 for AWS::SQS::Queue Failed expired on 2030-06-14",
                "the exception from CKV_AWS_27 for AWS::SQS::Queue Another matches no finding",
                "the exception from CKV_AWS_1 for AWS::SQS::Queue matches no finding",
            ],
        )

    def test_an_entry_serves_on_its_last_day_and_may_be_useless_in_a_part_of_the_whole(self):
        result = check({"queue": BREAKS_CKV_AWS_27}, [entry(expires="2030-06-15"), entry(rule="CKV_AWS_1")], complete=False)
        self.assertEqual(result.problems, [])

    def test_a_template_cannot_suppress_its_own_findings(self):
        ignored = {"cfn-lint": {"config": {"ignore_checks": ["E3002"]}}}
        skipped = {"checkov": {"skip": [{"id": "CKV_AWS_27", "comment": "planted"}]}}
        template = {"Metadata": ignored, "Resources": {"Failed": queue(Nonsense=1) | {"Metadata": ignored | skipped}}}
        self.assertEqual(broken_rules(check({"queue": template}, [])), ["E3002", "CKV_AWS_27", "engine:F3002"])

    def test_what_a_linter_cannot_read_does_not_pass(self):
        failed = json.dumps(CLEAN["Resources"]["Failed"])
        result = check(
            {
                "broken": '{"Resources": {"Failed": ',
                "clean": CLEAN,
                "empty": {"Resources": {}},
                "twice": f'{{"Resources": {{"Failed": {failed}, "Failed": {failed}}}}}',
            },
            [],
        )
        problems = "\n".join(result.problems)
        self.assertIn("broken.template.json: has no resources", problems)
        self.assertIn("broken.template.json: checkov cannot parse it", problems)
        self.assertIn("empty.template.json: has no resources", problems)
        self.assertIn("twice.template.json: has 2 resources, but cfn-lint saw 0", problems)
        self.assertIn("the templates have 3 resources, but checkov saw 1", problems)
        self.assertNotIn("clean.template.json", problems)

    def test_no_template_at_all_is_a_problem(self):
        result = check({}, [])
        self.assertEqual(len(result.problems), 1)
        self.assertRegex(result.problems[0], "^no template in /.*; write them first: cargo run synth$")


if __name__ == "__main__":
    unittest.main()
