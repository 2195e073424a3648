"""What nightly.py says about outcomes, without running anything that takes long."""

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import jobs
import mutation
import nightly
import programs
from jobs import Job, Outcome
from mutation import Outcomes, judge, read_outcomes, read_survivors


class Judging(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.log = self.folder / "log"

    def judged(self, caught: int, missed: list[str], listed: dict[str, str]) -> Outcome:
        return judge(Outcomes(["x"] * caught, missed, ["y"]), listed, self.log)

    def test_95_percent_pass_if_each_survivor_is_listed(self):
        outcome = self.judged(95, ["a"] * 5, {"a": "it only logs"})
        self.assertEqual(outcome, Outcome(True, "95 of 100 caught, 95.0%; 1 listed, 1 do not compile"))

    def test_less_than_95_percent_fail_although_listed(self):
        self.assertFalse(self.judged(94, ["a"] * 6, {"a": "it only logs"}).passed)

    def test_a_survivor_that_is_not_listed_fails(self):
        outcome = self.judged(99, ["a"], {})
        self.assertFalse(outcome.passed)
        self.assertIn("not caught and not listed: a", outcome.result)

    def test_an_entry_that_is_caught_is_an_error(self):
        outcome = self.judged(100, [], {"a": "it only logs"})
        self.assertIn("listed, but caught or not a mutant: a", outcome.result)
        self.assertFalse(outcome.passed)

    def test_an_entry_needs_a_reason(self):
        self.assertIn("listed without a reason: a", self.judged(99, ["a"], {"a": " "}).result)

    def test_a_crate_without_mutants_has_tested_nothing(self):
        self.assertFalse(self.judged(0, [], {}).passed)

    def test_names_of_mutants_have_no_lines(self):
        path = self.folder / "outcomes.json"
        mutant = lambda summary, name: {"scenario": {"Mutant": {"name": f"infra/x/src/{name}"}}, "summary": summary}
        outcomes = [
            {"scenario": "Baseline", "summary": "Success"},
            mutant("CaughtMutant", "a.rs:1:2: replace a -> X::Y with b"),
            mutant("Timeout", "b.rs:10:20: replace < with <= in b"),
            mutant("MissedMutant", "c.rs:3:4: delete ! in c"),
            mutant("Unviable", "d.rs:5:6: replace d"),
        ]
        path.write_text(json.dumps({"outcomes": outcomes}))
        expected = Outcomes(
            ["src/a.rs: replace a -> X::Y with b", "src/b.rs: replace < with <= in b"], ["src/c.rs: delete ! in c"], ["src/d.rs: replace d"]
        )
        self.assertEqual(read_outcomes(path, Path("infra/x")), expected)

    def test_survivors_are_read_from_the_crate(self):
        self.assertEqual(read_survivors(self.folder), {})
        (self.folder / "survivors.toml").write_text('[[survivor]]\nmutant = "a"\nreason = "b"\n')
        self.assertEqual(read_survivors(self.folder), {"a": "b"})


class Jobs(unittest.TestCase):
    def test_a_job_is_chosen_by_its_name_or_its_kind(self):
        job = Job("mutants:cfn", "")
        self.assertTrue(job.is_named("mutants") and job.is_named("mutants:cfn"))
        self.assertFalse(job.is_named("mutant") or job.is_named("mutants:cf"))

    def test_all_jobs_run_and_one_failure_fails_the_night(self):
        ran = []

        class Scripted(Job):
            def run(self):
                ran.append(self.name)
                return Outcome(self.name != "bad", "done")

        with mock.patch.object(nightly, "say"), mock.patch.object(nightly, "LOGS", Path(self.enterContext(tempfile.TemporaryDirectory()))):
            with mock.patch("builtins.print") as printed:
                self.assertEqual(nightly.run([Scripted("bad", "1"), Scripted("good", "2")]), 1)
                self.assertEqual(nightly.run([Scripted("good", "2")]), 0)
        self.assertEqual(ran, ["bad", "good", "good"])
        self.assertIn("bad   1     FAILED: done", printed.call_args_list[0].args[0])

    def test_every_simulation_fuzzed_parser_and_crate_with_rules_is_found(self):
        found = [job.name for job in [*programs.jobs(), *mutation.jobs()]]
        kinds = {name.split(":")[0] for name in found}
        self.assertEqual(kinds, {"simulation", "fleet", "drawn", "properties", "mutants"})
        self.assertEqual(len(found), len(set(found)), found)

    def test_the_table_has_one_line_per_row(self):
        text = nightly.table([("a", "10"), ("longer", "2")], ("what", "size"))
        self.assertEqual(text, "what    size\n------  ----\na       10\nlonger  2")

    def test_durations(self):
        self.assertEqual([nightly.duration(seconds) for seconds in (0.4, 61, 3600)], ["0:00:00", "0:01:01", "1:00:00"])


class LastWords(unittest.TestCase):
    def said(self, log: str, code: int = 0) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
            file.write(log)
            file.flush()
            return programs.last_words(Path(file.name), code)

    def test_what_a_test_printed_is_its_result(self):
        log = "running 1 test\n2000 seeds: 0 lost\ntest simulation::x ... ok\n\ntest result: ok. 1 passed; 0 failed; 3 filtered out\n"
        self.assertEqual(self.said(log), "2000 seeds: 0 lost")

    def test_of_a_single_test_the_words_follow_its_name(self):
        log = "running 1 test\ntest simulation::x ... 2000 seeds: 0 lost\nok\n\ntest result: ok. 1 passed; 0 failed\n"
        self.assertEqual(self.said(log), "2000 seeds: 0 lost")

    def test_without_words_it_is_the_number_of_tests(self):
        log = "running 1 test\ntest simulation::x ... ok\n\ntest result: ok. 1 passed; 0 failed; 3 filtered out\n"
        self.assertEqual(self.said(log), "test result: ok. 1 passed")

    def test_of_a_failure_it_is_the_message(self):
        log = "thread 'x' (1) panicked at a.rs:1:2:\nseed 7: a reload was doubled\n"
        self.assertEqual(self.said(log, 101), "seed 7: a reload was doubled")
        self.assertEqual(self.said("", 137), "exit code 137")


if __name__ == "__main__":
    unittest.main()
