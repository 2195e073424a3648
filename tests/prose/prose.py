"""Finds sentences in the style that STYLE.md warns against.

Usage: prose.py [FILE …], by default every file that git tracks. Reads Markdown outside of code; comments, the texts in string
literals and the names of functions in the other languages. Prints a line for each finding and exits with 1 if there is one. A finding that is right as it is
gets a line in exceptions.txt.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

UNIT = "account|assembly|bucket|build|call|connection|crate|delivery|file|function|key|line|minute|module|page|person|query|region|request|resource|route|row|run|second|service|split|stack|step|system|template|tenant|test|thing|type|user|wave"

# What is found, and what to write instead.
PATTERNS = [
    (r"(?<!there )(?<!There )\b(?:is|are|was|were) no (?!longer|more\b|such|fewer|different|worse|better|other way|need\b|way\b|problem|reason\b|use\b)[A-Za-z`]", "say `is not a …`"),
    (r"\ballowed (?:is|are)\b", "say `must be …` or `use …`"),
    (r"\b(?:is|are|was|were|be) told\b(?! to\b)|\btells\b(?! [A-Za-z]+ (?:to|what|how|whether|where|which|when)\b)", "say `is reported`, `says` or `shows`"),
    (r"\btold (?:apart|of)\b", "say `is distinguished` or `is reported`"),
    (r"\bstands? (?:in|on|at|there|here|behind|beside|once|below|above|again|as|still|before|after)\b", "say `is`, `is in` or `is stored`"),
    (r"\b(?:does|do|did) not stand\b", "say `is not deployed` or `does not exist`"),
    (r"\b(?:lies|lie|lay) (?:in|on|at|there|here|beside|below|above|behind|with)\b", "say `is in` or `is stored in`"),
    (r"\b(?:goes|go|went|going) on (?:from|with|to be|where|as)\b|\bgoes on\b", "say `continues`"),
    (r"\bbeside\b|\bin the place of\b|\bin place of\b", "say `in addition to`, `next to` or `instead of`"),
    (r"\bno other one\b|\bthe others are not\b", "say `no further …` or `a different …`"),
    (r"\bbegun\b", "say `started`"),
    (r"\btaken up\b(?! to\b)|\btakes up\b(?! to\b)", "say `is resumed by`"),
    (r"\bcomes? to (?:its|an|their) end\b|\bcame to (?:its|an|their) end\b", "say `finishes` or `ends`"),
    (r"\bwith nothing behind\b|\bnothing behind it\b|\bstands behind\b|\bcut short\b", "say `without a value`, or `interrupted`"),
    (rf"\b(?:once|exactly once|one|one [a-z]+|bytes|calls|characters|files|items|lines|messages|parts|queries|requests|rows|stacks|times|tokens|tries|at most [a-z0-9]+) an? (?:{UNIT})\b(?! (?:that|which|with|of|has|is|and|or)\b)(?=[.,;:)]|$| (?:each|in|for|to|by)\b)", "say `per …` or `for each …`"),
    (r"(?<![-\w`$#/{.:])\bids?\b(?![-\w`=/:}\]]|\.\w|\)=)(?= (?:is|are|of|in|that|which|and|or|for|to|from|by|has|was|does|may|must|as|with|given|[a-z]+s)\b|[.,;)]|$)", "write `ID`"),
    (r"\bany ?more\b(?! (?:than|of|[a-z]+s)\b)", "say `no longer` or `any longer`"),
    (r"\bwhere (?:there (?:is|are) (?:none|no)|it is not|the file|nobody|nothing)\b", "say `if` or `without`"),
    (r"\b(?:is|are) taken for\b(?! granted)|\btakes? (?:it|them) for\b(?! granted)", "say `is treated as` or `is mistaken for`"),
    (r"\bheld (?:to|against) (?:the|its)\b", "say `checked against`"),
    (r"\bcannot go on\b|\bgo(?:es)? on meanwhile\b", "say `continue`"),
    (r"\bfor ever\b", "write `forever`"),
    (r"\b(?:has|have) not (?:the|a|an|any|its)\b", "say `does not have`"),
    (r"\bby the clock\b", "say `on a schedule`"),
    (r"\b(?:finds|found) out\b.{0,40}\bgood\b", "say `checks`"),
    (r"\bbears?\b", "say `allows` or `can take`"),
    (r"\bmade up\b(?! of)", "say `invented` or `generated`"),
    (r"\bof somebody else\b|\bsomebody else's\b", "say `another account's` or `someone else's`"),
    (r"\bsuch as stands\b|\bas stands\b|\bwhat stands\b|\bthat stands\b|\bwho stands\b|\bit stands\b|\bstand there\b", "say `exists` or `is deployed`"),
    (r"\bparting\b|\bparted from\b", "say `losing data`"),
    (r"\bthe like\b|\bits like\b|\btheir like\b", "name the things, or say `similar`"),
    (r"\bhinder(?:s|ed)?\b|\bholds? (?:no|the) others? up\b", "say `stops` or `delays`"),
    (r"\bof one's own\b|\bone's own\b", "say `your own` or `their own`"),
    (r"\bmend(?:s|ed)?\b", "say `fix`"),
]
COMPILED = [(re.compile(pattern), advice) for pattern, advice in PATTERNS]

# Statements, whose columns may be called `id`.
SQL = re.compile(r"\s*(?:select\b.*\bfrom\b|with \w+ as \(|create table\b)")

# Generated, licensed, or data; and what quotes the style that this looks for.
SKIPPED = re.compile(
    r"^(?:LICENSE|STYLE\.md|Cargo\.lock|cfn-out/|infra/aws/src/|infra/codegen/specification/|tests/prose/)|package-lock\.json$|\.(?:pem|gz|svg|txt)$|/expected/"
)


@dataclass(frozen=True)
class Finding:
    """One phrase to rewrite."""

    path: str
    line: int
    phrase: str
    advice: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: `{self.phrase}`: {self.advice}\n    {self.sentence.strip()[:160]}"


def main(arguments: list[str]) -> int:
    paths = arguments or tracked()
    allowed = exceptions()
    findings, used = [], set()
    for path in paths:
        for finding in check(path, (ROOT / path).read_text(errors="replace")):
            matching = {entry for entry in allowed if finding.path == entry[0] and entry[1] in finding.sentence}
            used |= matching
            if not matching:
                findings.append(finding)
    for finding in findings:
        print(finding)
    unused = [] if arguments else sorted(allowed - used)
    for path, text in unused:
        print(f"tests/prose/exceptions.txt: `{path}: {text}` matches nothing; remove it")
    print(f"prose: {len(paths)} files, {len(findings)} findings")
    return 1 if findings or unused else 0


def tracked() -> list[str]:
    """The files to read, as git lists them."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [path for path in listed if not SKIPPED.search(path) and (ROOT / path).is_file()]


def exceptions() -> set[tuple[str, str]]:
    """Path and part of the sentence, one `path: part` per line."""
    lines = (HERE / "exceptions.txt").read_text().splitlines()
    entries = (line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    return {(path, part) for path, part in entries}


def check(path: str, text: str) -> list[Finding]:
    """What is found in one file."""
    findings = []
    for number, prose in sentences(path, text):
        for pattern, advice in COMPILED:
            for match in pattern.finditer(prose):
                findings.append(Finding(path, number, match.group(), advice, prose))
    return findings


def sentences(path: str, text: str):
    """The prose of a file: pairs of line number and text."""
    if path.endswith(".md"):
        fenced = False
        for number, line in enumerate(text.splitlines(), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif not fenced:
                yield number, without_code(line)
        return
    suffix = Path(path).suffix
    marker = {".rs": "//", ".mjs": "//", ".js": "//", ".jsx": "//", ".css": "/*", ".sql": "--"}.get(suffix, "#")
    has_block_comments = marker == "/*" or suffix in (".mjs", ".js", ".jsx")
    inside = continued = False
    # Names of functions are sentences too: a test is called what it shows.
    named = re.compile(r"\b(?:fn|def) (\w+)") if suffix in (".rs", ".py") else None
    for number, line in enumerate(text.splitlines(), 1):
        was_inside, was_continued = inside, continued
        begins = False
        if suffix == ".py":
            begins = '"""' in line
            inside ^= line.count('"""') % 2 == 1
        elif has_block_comments:
            begins = line.lstrip().startswith("/*")
            inside = (begins or inside) and "*/" not in line
        # A backslash continues a literal on the next line.
        continued = suffix == ".rs" and line.endswith("\\")
        if begins or was_inside or was_continued:
            yield number, without_code(line)
            continue
        if named:
            yield from ((number, spoken(name)) for name in named.findall(line))
        # Literals first: an address in one has the marker of a comment.
        literals = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
        rest = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        _, found, comment = rest.partition(marker)
        if found:
            yield number, without_code(line[line.find(marker) :] if not literals else comment)
        for literal in literals:
            if " " in literal.strip() and not SQL.match(literal):
                yield number, without_code(literal)


def spoken(name: str) -> str:
    """The words of a name."""
    return re.sub(r"\bids?\b", "ID", name.replace("stand_in", "stand-in").replace("_", " "))


def without_code(line: str) -> str:
    """A line without what is between backticks."""
    return re.sub(r"`[^`]*`", "`x`", line)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
