"""What a scenario found: what was promised, what was seen, and whether it held."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """One promise. ``timed`` when a machine that has much else to do may break it too."""

    what: str
    seen: str
    held: bool
    timed: bool = False


@dataclass(frozen=True)
class Findings:
    """What one scenario found; ``about`` says what was done."""

    name: str
    about: str
    checks: Sequence[Check]
    notes: Sequence[str] = field(default=())

    def broken(self, *, timed: bool = True) -> list[str]:
        """The promises that were not kept; without those about time where the machine is not quiet."""
        return [
            "; ".join([f"{self.name}: {check.what}: {check.seen}", *self.notes])
            for check in self.checks
            if not check.held and (timed or not check.timed)
        ]

    def section(self) -> str:
        """The part of the page."""
        rows = [f"| {check.what} | {check.seen} | {'yes' if check.held else '**no**'} |" for check in self.checks]
        table = "\n".join(["| promised | seen | held |", "| --- | --- | --- |", *rows])
        notes = "\n".join(f"- {note}" for note in self.notes)
        return "\n\n".join(filter(None, [f"## {self.name}", self.about, table, notes]))
