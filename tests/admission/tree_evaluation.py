"""Works a tree out for facts that are known: what the API server does in CEL, done in Python.

It is there to hold a tree against the rule that it was made from.
"""

from collections.abc import Sequence
from typing import Any

from components.admission.exploring import STATED, Answer, Leaf, Tree, answers_of
from components.admission.terms import (
    AreSame,
    Caveat,
    CountOf,
    InOrder,
    IsEmpty,
    IsLess,
    Listed,
    Literal,
    Milliseconds,
    Number,
    OfFact,
    OfThreshold,
    Product,
    Question,
    Quotient,
    Spelled,
    StoresOf,
    Sum,
    Term,
    Whereabouts,
    WhichIs,
)
from components.placement import Facts, Thresholds, Verdict
from components.placement.counting import in_order, listed, milliseconds, stores, whereabouts
from components.spec.units import Quantity


def verdict(tree: Tree, facts: Facts, thresholds: Thresholds) -> Verdict:
    """What a tree says of facts."""
    known = _Known(facts, thresholds)
    while not isinstance(tree, Leaf):
        answer = known.answer(tree.question)
        tree = next(branch for given, branch in tree.branches if given == answer)
    reason = "".join(part if isinstance(part, str) else str(known.value(part)) for part in tree.reason)
    return Verdict(tree.says, reason, tree.missing, tree.soft)


class _Known:
    def __init__(self, facts: Facts, thresholds: Thresholds) -> None:
        self._facts = facts
        self._thresholds = thresholds

    def answer(self, question: Question) -> Answer:
        match question:
            case WhichIs(fact):
                value = getattr(self._facts, fact)
                return STATED if STATED in answers_of(fact) and value is not None else value
            case IsLess(left, right):
                return bool(self.value(left) < self.value(right))
            case AreSame(left, right):
                same = tuple(map(self.value, right)) if isinstance(right, tuple) else self.value(right)
                return bool(self.value(left) == same)
            case IsEmpty(several):
                return not self.value(several)

    def value(self, term: Term) -> Any:
        match term:
            case Number(known) | Literal(known):
                return known
            case OfFact() | OfThreshold():
                return _steps(self._stated(term))
            case Spelled(value):
                return self._stated(value)
            case Caveat(names):
                return self._thresholds.caveat(*names)
            case Sum() | Product() | Quotient():
                return self._worked_out(term)
            case _:
                return self._of_several(term)

    def _worked_out(self, term: Sum | Product | Quotient) -> int:
        match term:
            case Sum(left, right):
                return int(self.value(left) + self.value(right))
            case Product(left, right):
                return int(self.value(left) * self.value(right))
            case Quotient(dividend, divisor):
                return int(-(-self.value(dividend) // divisor))

    def _of_several(self, term: Term) -> Any:
        match term:
            case CountOf(several):
                return len(self.value(several))
            case StoresOf(reads):
                return stores(self.value(reads))
            case InOrder(names):
                return in_order(self.value(names))
            case Listed(names, called, between):
                return listed(self.value(names), dict(called), between)
            case Whereabouts(reads):
                return whereabouts(self.value(reads))
            case Milliseconds(nanoseconds):
                return milliseconds(self.value(nanoseconds))
            case _:
                raise TypeError(f"{term} has no value")

    def _stated(self, term: Term) -> Any:
        match term:
            case OfFact(fact):
                return getattr(self._facts, fact)
            case OfThreshold(name):
                return self._thresholds.values[name].value
            case _:
                return self.value(term)


def _steps(value: Any) -> int | str | Sequence[Any]:
    return value.steps if isinstance(value, Quantity) else value
