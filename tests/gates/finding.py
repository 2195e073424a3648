"""What a validator reports, and where the validators are installed."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# `scripts/tools gates` installs them.
VALIDATORS = ROOT / ".tools/validators"


@dataclass(frozen=True)
class Finding:
    """A rule that a resource breaks. The type of anything else is its section, such as `Outputs`."""

    rule: str
    template: str
    id: str
    type: str
    message: str

    def __str__(self) -> str:
        return f"{self.template}: {self.id} ({self.type}): {self.rule}: {self.message}"


def shown(path: Path) -> str:
    """The path as a reader in the repository would type it."""
    path = path.resolve()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
