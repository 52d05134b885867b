"""Writes what a rule says in CEL, the language of admission policies.

A tree becomes one expression of nested conditionals over variables of the policy, whose value is what the
rule says: nothing, or a sentence with a mark before it that says how it is meant. Parts that occur more than
once become variables of their own: the API server works a variable out once, and only if it is asked for.

CEL knows no value that is not there, so what may be unknown is a text that may be empty (a home, yes or no),
or a list of at most one (an amount, a text, names). It has whole numbers of 64 bits; sums and products, which
may pass them, are worked out as floating-point numbers, which is exact up to 104 days in nanoseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from components.admission.exploring import FACTS, STATED, Answer, Fork, Leaf, Tree, facts_asked
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
from components.placement.judging import Answer as Says
from components.spec.units import Quantity

REFUSED: Final = "!"
"""Before the reason of a refusal."""
ADVISED: Final = "~"
"""Before the reason of advice."""
UNDECIDED: Final = "?"
"""Before the names of the facts that are missing."""

_SHARED_FROM: Final = 80
"""Characters from which a part that occurs twice is a variable."""
_EXACT: Final = "9.0e15"
"""Floating-point numbers below it are exact to the whole number."""
_SORTED_AT_MOST: Final = 16
_INDICES: Final = f"[{', '.join(map(str, range(_SORTED_AT_MOST)))}]"
"""Lists can be sorted by CEL itself from Kubernetes 1.34 only."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A named part of a policy, worked out when it is first asked for."""

    name: str
    expression: str


@dataclass(slots=True)
class Said:
    """What a rule says, as an expression, and the shared parts that it needs, in order."""

    expression: str
    shared: tuple[Variable, ...]
    facts: frozenset[str]
    """The facts that it rests on."""


def say(tree: Tree) -> Said:
    """The whole of a tree as CEL."""
    pruned = _pruned(tree)
    writer = _Writer(_occurrences(pruned))
    expression = writer.tree(pruned)
    return Said(expression, tuple(writer.shared), facts_asked(pruned))


def quoted(text: str) -> str:
    """A text as a literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def listing(texts: Iterable[str]) -> str:
    """A list of texts as a literal."""
    return f"[{', '.join(map(quoted, texts))}]"


def variable(fact: str) -> str:
    """The variable that holds a fact."""
    return f"{fact}_" if fact in _RESERVED else fact


def limit(name: str) -> str:
    """The variable that holds a threshold."""
    return f"limit_{name}"


_RESERVED: Final = frozenset(("package", "namespace", "function"))
"""Words that CEL keeps for itself, of those that a fact could be called by."""

_PASSES: Final = Leaf(Says.FITS, ())


def _pruned(tree: Tree) -> Tree:
    """What matters of a tree: why something fits does not."""
    if isinstance(tree, Leaf):
        if tree.says is Says.FITS:
            return _PASSES
        return tree if tree.says is Says.REFUSED else Leaf(tree.says, (), tree.missing)
    branches = tuple((answer, _pruned(branch)) for answer, branch in tree.branches)
    same = len({branch for _, branch in branches}) == 1
    return branches[0][1] if same else Fork(tree.question, branches)


def _occurrences(tree: Tree) -> dict[Tree, int]:
    """How often each part is come to, every part being walked through once."""
    counted: dict[Tree, int] = {}
    open_parts = [tree]
    while open_parts:
        part = open_parts.pop()
        counted[part] = counted.get(part, 0) + 1
        if counted[part] == 1 and isinstance(part, Fork):
            open_parts += {branch for _, branch in part.branches}
    return counted


@dataclass(slots=True)
class _Writer:
    occurrences: dict[Tree, int]
    shared: list[Variable] = field(default_factory=list)
    _written: dict[Tree, str] = field(default_factory=dict)

    def tree(self, tree: Tree) -> str:
        if tree not in self._written:
            text = _leaf(tree) if isinstance(tree, Leaf) else self._fork(tree)
            if self.occurrences[tree] > 1 and len(text) > _SHARED_FROM:
                self.shared.append(Variable(f"case_{len(self.shared) + 1}", text))
                text = f"variables.{self.shared[-1].name}"
            self._written[tree] = text
        return self._written[tree]

    def _fork(self, fork: Fork) -> str:
        groups: dict[str, list[Answer]] = {}
        for answer, branch in fork.branches:
            groups.setdefault(self.tree(branch), []).append(answer)
        # The answer that covers most is what is left when the others were asked for.
        *asked, rest = sorted(groups.items(), key=lambda group: len(group[1]))
        text = rest[0]
        for then, answers in reversed(asked):
            text = f"{_condition(fork.question, answers)}\n? {_indented(then)}\n: {_indented(text)}"
        return text


def _indented(text: str) -> str:
    return text if "\n" not in text else f"({text})".replace("\n", "\n  ")


def _leaf(leaf: Leaf) -> str:
    match leaf.says:
        case Says.FITS:
            return "''"
        case Says.UNDECIDED:
            return quoted(UNDECIDED + " ".join(leaf.missing))
        case Says.REFUSED:
            mark = ADVISED if leaf.soft else REFUSED
            first, *rest = leaf.reason if isinstance(leaf.reason[0], str) else ("", *leaf.reason)
            return " + ".join([quoted(f"{mark}{first}"), *map(_said, rest)])


def _said(part: "str | Term") -> str:
    return quoted(part) if isinstance(part, str) else _text(part)


def _condition(question: Question, answers: list[Answer]) -> str:
    match question:
        case WhichIs(fact):
            return _is_one_of(fact, answers)
        case IsLess(left, right):
            return _either("{} < {}", "{} >= {}", _alike(left, right), answers)
        case AreSame(left, right):
            return _either("{} == {}", "{} != {}", _same(left, right), answers)
        case IsEmpty(several):
            return _either("{}.size() == 0", "{}.size() > 0", (_several(several),), answers)


def _is_one_of(fact: str, answers: list[Answer]) -> str:
    asked = f"variables.{variable(fact)}"
    if answers == [STATED]:
        return f"{asked}.size() == 1"
    if is_of_many(fact):
        return f"{asked}.size() == 0"
    texts = ["" if answer is None else str(answer).lower() for answer in answers]
    return f"{asked} == {quoted(texts[0])}" if len(texts) == 1 else f"{asked} in {listing(texts)}"


def is_of_many(fact: str) -> bool:
    """Whether a fact has more values than can be told one by one."""
    kind = FACTS[fact]
    return kind in (int, str) or not isinstance(kind, type) or issubclass(kind, Quantity)


def _either(so: str, otherwise: str, operands: tuple[str, ...], answers: list[Answer]) -> str:
    return (so if answers == [True] else otherwise).format(*operands)


def _alike(left: Term, right: Term) -> tuple[str, str]:
    """Two numbers in one kind of arithmetic."""
    floating = _is_worked_out(left) or _is_worked_out(right)
    return _number(left, floating=floating), _number(right, floating=floating)


def _same(left: Term, right: Term | tuple[Term, ...]) -> tuple[str, str]:
    if isinstance(right, tuple):
        return _several(left), f"[{', '.join(map(_text, right))}]"
    if isinstance(right, Literal) or isinstance(left, Literal):
        return _text(left), _text(right)
    return _alike(left, right)


# -- numbers


def _is_worked_out(term: Term) -> bool:
    return isinstance(term, Sum | Product | Quotient)


def _number(term: Term, *, floating: bool = False) -> str:
    match term:
        case Sum(left, right):
            return f"{_number(left, floating=True)} + {_number(right, floating=True)}"
        case Product(left, right):
            return f"{_factor(left)} * {_factor(right)}"
        case Quotient(dividend, divisor):
            return _quotient(_number(dividend, floating=True), f"{divisor}.0")
        case Number(value):
            return f"{value}.0" if floating else str(value)
        case OfFact(fact):
            text = f"variables.{variable(fact)}[0]"
        case OfThreshold(name):
            text = f"variables.{limit(name)}"
        case CountOf(several):
            text = f"{_several(several)}.size()"
        case _:
            raise TypeError(f"{term} is no number")
    return f"double({text})" if floating else text


def _factor(term: Term) -> str:
    text = _number(term, floating=True)
    return f"({text})" if isinstance(term, Sum) else text


def _quotient(dividend: str, divisor: str) -> str:
    """Rounded up, which CEL has no function for."""
    whole = f"double(int(x / {divisor}))"
    up = f"{whole} * {divisor} < x ? {whole} + 1.0 : {whole}"
    return f"[{dividend}].map(x, x / {divisor} > {_EXACT} ? x / {divisor} : ({up}))[0]"


# -- texts and lists


def _several(term: Term) -> str:
    match term:
        case OfFact("reads_elsewhere"):
            return "variables.reads_elsewhere"
        case OfFact(fact):
            return f"variables.{variable(fact)}[0]"
        case StoresOf(reads):
            return f"{_several(reads)}.map(r, r.split('@')[0])"
        case InOrder(names):
            return in_order(_several(names))
        case _:
            raise TypeError(f"{term} is no list")


def in_order(names: str) -> str:
    """Different names in the order of the alphabet; more than anybody reads are left as they are."""
    nth = f"{names}.filter(n, {names}.filter(m, m < n).size() == i)"
    return (
        f"({names}.size() > {_SORTED_AT_MOST} ? {names}"
        f" : {_INDICES}.filter(i, {nth}.size() > 0).map(i, {nth}[0]))"
    )


def _text(term: Term) -> str:
    match term:
        case Literal(text):
            return quoted(text)
        case OfFact(fact):
            return f"variables.{variable(fact)}[0]"
        case Spelled(value):
            return _spelled(value)
        case Milliseconds(nanoseconds):
            return _milliseconds(_number(nanoseconds, floating=True))
        case Caveat() | Listed() | Whereabouts():
            return _joined(term)
        case _:
            raise TypeError(f"{term} is no text")


def _joined(term: Caveat | Listed | Whereabouts) -> str:
    match term:
        case Caveat(names):
            return _caveat(names)
        case Listed(names, called, between):
            return f"{_listed(_several(names), called)}.join({quoted(between)})"
        case Whereabouts(reads):
            zones = "r.split('@')[1]"
            where = f"({zones} == 'none' ? 'no zone' : {zones}.split('+').join(', '))"
            return f"{_several(reads)}.map(r, r.split('@')[0] + ' is in ' + {where}).join('; ')"


def _caveat(names: tuple[str, ...]) -> str:
    *others, last = (f"variables.{limit(name)}_caveat" for name in names)
    text = last
    for other in reversed(others):
        text = f"({other} != '' ? {other} : {text})"
    return text


def _listed(names: str, called: tuple[tuple[str, str], ...]) -> str:
    if not called:
        return names
    table = ", ".join(f"{quoted(name)}: {quoted(as_called)}" for name, as_called in called)
    return f"{names}.map(n, {{{table}}}[?n].orValue(n))"


def _spelled(value: Term) -> str:
    match value:
        case OfFact(fact) if FACTS[fact] is str:
            return f"variables.{variable(fact)}[0]"
        case OfFact(fact) if FACTS[fact] is not int:
            return f"variables.{fact}_said"
        case OfThreshold(name):
            return f"variables.{limit(name)}_said"
        case _:
            return f"string({_number(value)})"


def _milliseconds(nanoseconds: str) -> str:
    """To three digits, as CEL spells a number: it has no function for that before Kubernetes 1.34."""
    steps = f"[{', '.join(str(10**digits) for digits in range(16))}]"
    step = f"{steps}.filter(s, s == 1 || s * 100 <= n).max()"
    rounded = f"[{step}].map(s, (n + s / 2) / s * s)[0]"
    spelled = "r % 1000000 == 0 ? string(r / 1000000) : string(double(r) / 1000000.0)"
    known = f"[{nanoseconds}].map(x, x < {_EXACT} ? int(x) : int({_EXACT}))"
    return f"{known}.map(n, {rounded}).map(r, {spelled})[0] + 'ms'"
