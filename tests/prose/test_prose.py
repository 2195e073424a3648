"""The prose check finds the old style wherever people read it, and leaves plain sentences alone."""

import unittest

from prose import check

PLANTED = [
    "`a b` is no stack name; allowed are letters and digits",
    "an id that nothing has is refused as well",
    "nothing stands behind this key; give it what belongs there",
    "acme-x does not stand; deploy it first",
    "Percent of the tenants that may fail before no other one is begun",
    "A run that was cut short is taken up by the next",
    "What AWS has not said is told in the log",
    "The file lies in another folder",
    "Qlik apps reloaded by schedule, exactly once a delivery.",
    "The policy that is in the place of the role",
    "The table that holds it lies beside the bucket",
    "`a b` is no QuickSight user",
    "The second answer has the same id.",
    "UTC where there is none",
    "Nobody waits for it any more.",
    "A text is taken for a number",
    "What was read is held against the limits",
    "A test that cannot go on fails",
    "Tokens that live for ever",
]

PLAIN = [
    "`a b` is not a valid stack name; use letters, digits and hyphens",
    "An ID that matches no resource is rejected too.",
    "This key has no value; set one or remove the key.",
    "There is no queue for it, and the limit is no longer needed.",
    "Stop starting tenants once this percentage has failed",
    "The next run resumes an interrupted one.",
    "It is stored in a different folder, next to the bucket.",
    "A stand-in plays Qlik Cloud; MB stands for megabytes.",
    "Each tenant has one stack per system.",
    "This takes the folder for granted, and needs no more than that.",
]


class Prose(unittest.TestCase):
    def test_the_old_style_is_found_wherever_people_read(self) -> None:
        for sentence in PLANTED:
            for path, line in places(sentence):
                with self.subTest(path=path, sentence=sentence):
                    self.assertTrue(check(path, line))

    def test_the_old_style_is_found_in_names_of_functions(self) -> None:
        for name in ["a_value_is_told_at_its_line", "begun", "a_name_that_is_no_name", "not_begun"]:
            for path, line in [("a.rs", f"async fn {name}() {{"), ("a.py", f"    def {name}(self):")]:
                with self.subTest(path=path, name=name):
                    self.assertTrue(check(path, line))
        for name in ["a_value_is_reported_at_its_line", "id_of", "ids_are_unique"]:
            self.assertEqual([], check("a.rs", f"fn {name}() {{"))

    def test_plain_sentences_pass(self) -> None:
        for sentence in PLAIN:
            for path, line in places(sentence):
                with self.subTest(path=path, sentence=sentence):
                    self.assertEqual([], check(path, line))

    def test_code_is_not_read(self) -> None:
        self.assertEqual([], check("a.md", "```sh\nthis is no prose\n```"))
        self.assertEqual([], check("a.rs", "let id = ids.of(stands_in);"))
        self.assertEqual([], check("a.md", "the key `is no code`"))
        self.assertEqual([], check("a.rs", 'query("select id from sales order by id limit 2");'))
        self.assertEqual([], check("a.rs", 'condition("attribute_not_exists(#id) OR expires < :now");'))


def places(sentence: str) -> list[tuple[str, str]]:
    """The same sentence as documentation, comments and messages."""
    return [
        ("a.md", sentence),
        ("a.rs", f"    /// {sentence}"),
        ("a.rs", f'    bail!("{sentence}");'),
        ("a.py", f"# {sentence}"),
        ("a.py", f'"""{sentence}"""'),
        ("a.py", f'"""One line.\n\n{sentence}\n"""'),
        ("a.mjs", f"/** {sentence} */"),
        ("a.css", f"/* One line.\n * {sentence}\n */"),
        ("a.rs", f'bail!("one line, \\\n    {sentence}");'),
        ("a.mjs", f'say("{sentence}"); // {sentence}'),
        ("script", f"# {sentence}"),
    ]


if __name__ == "__main__":
    unittest.main()
