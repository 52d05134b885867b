"""What a rule compares and says, as expressions: made of facts, thresholds and numbers, evaluated later.

A term stands for a value that is not there yet. A question asks one thing of terms. Whoever has the values
(Python with `Facts` at hand, CEL in the API server) can work either out.
"""

from dataclasses import dataclass
from typing import TypeAlias

# -- amounts, counts and numbers


@dataclass(frozen=True, slots=True)
class OfFact:
    """The value of a fact: an amount in its smallest steps, a count, a text, names or reads."""

    fact: str


@dataclass(frozen=True, slots=True)
class OfThreshold:
    """A threshold of the rule, in its smallest steps."""

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number that the rule itself writes."""

    value: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A text that the rule itself writes."""

    text: str


@dataclass(frozen=True, slots=True)
class CountOf:
    """How many there are of names or reads."""

    several: "Term"


@dataclass(frozen=True, slots=True)
class Sum:
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Product:
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Quotient:
    """A division by a number that the rule writes, rounded up."""

    dividend: "Term"
    divisor: int


# -- texts, and lists of them


@dataclass(frozen=True, slots=True)
class StoresOf:
    """Names of the stores of some reads."""

    reads: "Term"


@dataclass(frozen=True, slots=True)
class InOrder:
    """Names in the order of the alphabet."""

    names: "Term"


@dataclass(frozen=True, slots=True)
class Listed:
    """Names in a row, each as it is called, as one text."""

    names: "Term"
    called: tuple[tuple[str, str], ...]
    between: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Reads, each with its zones, as one text."""

    reads: "Term"


@dataclass(frozen=True, slots=True)
class Milliseconds:
    """A number of nanoseconds as text."""

    nanoseconds: "Term"


@dataclass(frozen=True, slots=True)
class Spelled:
    """A value as it is spelled where it was stated."""

    value: "Term"


@dataclass(frozen=True, slots=True)
class Caveat:
    """What is to be said behind a figure that rests on these thresholds."""

    names: tuple[str, ...]


Term: TypeAlias = (
    OfFact
    | OfThreshold
    | Number
    | Literal
    | CountOf
    | Sum
    | Product
    | Quotient
    | StoresOf
    | InOrder
    | Listed
    | Whereabouts
    | Milliseconds
    | Spelled
    | Caveat
)

# -- questions


@dataclass(frozen=True, slots=True)
class WhichIs:
    """What a fact is: None (not known), one of few values, or `STATED` where there are many."""

    fact: str


@dataclass(frozen=True, slots=True)
class IsLess:
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class AreSame:
    """Whether two terms have the same value; a tuple is a list of names."""

    left: Term
    right: Term | tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class IsEmpty:
    several: Term


Question: TypeAlias = WhichIs | IsLess | AreSame | IsEmpty

Reason: TypeAlias = tuple[str | Term, ...]
"""A sentence, with terms where it says a value."""
