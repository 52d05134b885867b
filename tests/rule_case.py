"""One row of a rule's table."""

from dataclasses import dataclass, field

from components.placement import Answer, Facts
from components.spec import Duration, Memory, Share


@dataclass(frozen=True)
class Case:
    """Facts in, answer out, with what the reason must carry."""

    says: str
    rule: str
    facts: Facts
    answer: Answer
    reason: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    overrides: dict[str, Memory | Duration | Share] = field(default_factory=dict)
    soft: bool = False
    """Advice: said, and stopping nothing."""
