"""Explores a rule: asks it for a verdict on every kind of facts there can be, and keeps what it answers.

A rule is a function. Given facts that have no values yet, it asks: is this known, is that less than this?
Every question is answered in each way that it can be, one run after another, and what the rule says in the
end is a leaf of a tree of those questions. So the tree says what the rule says, of whatever facts: nobody
writes the rule a second time, and whoever changes it has changed all that is made from it.

Facts with few values (a home, yes or no) are told apart by value. Amounts, counts, texts and lists stay
terms, as thresholds do; of them a rule learns only what it asks.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum, StrEnum
from types import NoneType
from typing import Any, Final, TypeAlias, cast, get_args, get_type_hints

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
    Reason,
    Spelled,
    StoresOf,
    Sum,
    Term,
    Whereabouts,
    WhichIs,
)
from components.placement import Facts, Home, Rule, Thresholds, Verdict
from components.placement.counting import (
    AS_THEY_ARE,
    count,
    in_order,
    listed,
    milliseconds,
    stores,
    whereabouts,
)
from components.placement.judging import Answer as Says
from components.spec.units import Quantity

IN_A_CLUSTER: Final = (None, Home.POOL, Home.METAL)
"""The homes that a subject in a cluster can have; a namespace has none."""


class Stated(Enum):
    """The answer of a fact that has many values: there is one."""

    STATED = "stated"


STATED: Final = Stated.STATED

Answer: TypeAlias = bool | StrEnum | Stated | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the rule says in the end."""

    says: Says
    reason: Reason
    missing: tuple[str, ...] = ()
    soft: bool = False


@dataclass(frozen=True, slots=True)
class Fork:
    """A question of the rule, and what it goes on with for each answer."""

    question: Question
    branches: tuple[tuple[Answer, "Tree"], ...]


Tree: TypeAlias = Leaf | Fork


def explore(rule: Rule, homes: tuple[Home | None, ...] = IN_A_CLUSTER) -> Tree:
    """All that the rule can say of a subject with one of these homes."""
    walk = _Walk(homes)
    growing: list[Any] = []
    while True:
        leaf = walk.run(rule)
        _graft(growing, walk.path, leaf)
        if not walk.turn():
            return _grown(growing)


def leaves(tree: Tree) -> Iterator[Leaf]:
    """All leaves, from first to last."""
    if isinstance(tree, Leaf):
        yield tree
        return
    for _, branch in tree.branches:
        yield from leaves(branch)


def refuses(tree: Tree) -> bool:
    """Whether there is a subject that the rule refuses."""
    return any(leaf.says is Says.REFUSED for leaf in leaves(tree))


def facts_asked(tree: Tree) -> frozenset[str]:
    """The facts that decide, by name."""
    if isinstance(tree, Leaf):
        return frozenset()
    named = frozenset([tree.question.fact]) if isinstance(tree.question, WhichIs) else frozenset[str]()
    return named.union(*(facts_asked(branch) for _, branch in tree.branches))


@dataclass(slots=True)
class _Step:
    question: Question
    answers: tuple[Answer, ...]
    chosen: int = 0

    @property
    def answer(self) -> Answer:
        return self.answers[self.chosen]


@dataclass(slots=True)
class _Walk:
    """One run after another, each along the next path."""

    homes: tuple[Home | None, ...]
    path: list[_Step] = field(default_factory=list)
    _at: int = 0
    _said: list[Term] = field(default_factory=list)

    def run(self, rule: Rule) -> Leaf:
        self._at = 0
        self._said.clear()
        facts, thresholds = _AnyFacts(self), _AnyThresholds(self)
        verdict = rule.check(cast(Facts, facts), cast(Thresholds, thresholds))
        return self._leaf(verdict)

    def turn(self) -> bool:
        """Take the last fork that has an answer left; False when all were taken."""
        while self.path and self.path[-1].chosen + 1 == len(self.path[-1].answers):
            self.path.pop()
        if not self.path:
            return False
        self.path[-1].chosen += 1
        return True

    def ask(self, question: Question, answers: tuple[Answer, ...] = (True, False)) -> Answer:
        """The answer on this path: the one already given, else the next in turn."""
        known = next((step for step in self.path[: self._at] if step.question == question), None)
        if known is not None:
            return known.answer
        if self._at == len(self.path):
            self.path.append(_Step(question, answers))
        step = self.path[self._at]
        self._at += 1
        return step.answer

    def is_so(self, question: Question) -> bool:
        return self.ask(question) is True

    def said(self, term: Term) -> str:
        """A mark that stands for a term in a sentence."""
        self._said.append(term)
        return f"{_OPEN}{len(self._said) - 1}{_CLOSE}"

    def _leaf(self, verdict: Verdict) -> Leaf:
        parts = _MARK.split(verdict.reason)
        reason = (self._said[int(part)] if index % 2 else part for index, part in enumerate(parts))
        return Leaf(
            verdict.answer, tuple(part for part in reason if part != ""), verdict.missing, verdict.soft
        )


# Characters that no text of ours has.
_OPEN: Final = "\ue000"
_CLOSE: Final = "\ue001"
_MARK: Final = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")


def _graft(tree: list[Any], path: list[_Step], leaf: Leaf) -> None:
    """Hang a leaf into a tree that is still growing: lists of question and branches."""
    at = tree
    for step in path:
        if not at:
            at += [step.question, []]
        branches = at[1]
        if not branches or branches[-1][0] is not step.answer:
            branches.append((step.answer, []))
        at = branches[-1][1]
    at.append(leaf)


def _grown(tree: list[Any]) -> Tree:
    """What has been grown, without the questions whose answer makes no difference."""
    if len(tree) == 1:
        return cast(Leaf, tree[0])
    question, growing = tree
    branches = tuple((answer, _grown(branch)) for answer, branch in growing)
    return branches[0][1] if len({branch for _, branch in branches}) == 1 else Fork(question, branches)


# -- values that are not there


class _Some:
    """A value of which a rule learns what it asks, and no more."""

    __slots__ = ("_walk", "term")
    # Equal is a question, and so no two of them are the same key.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, walk: _Walk, term: Term) -> None:
        self._walk = walk
        self.term = term

    def __str__(self) -> str:
        return self._walk.said(Spelled(self.term))

    def __format__(self, spec: str) -> str:
        if spec:
            raise TypeError(f"a rule spells a value by {spec!r}, which is not known how to say later")
        return str(self)

    def __eq__(self, other: object) -> bool:
        right = tuple(map(_term, other)) if isinstance(other, tuple) else _term(other)
        return right == self.term or self._walk.is_so(AreSame(self.term, right))

    def __lt__(self, other: object) -> bool:
        return self._is_less(self.term, _term(other))

    def __gt__(self, other: object) -> bool:
        return self._is_less(_term(other), self.term)

    def _is_less(self, left: Term, right: Term) -> bool:
        return left != right and self._walk.is_so(IsLess(left, right))

    def __le__(self, other: object) -> bool:
        return not self > other

    def __ge__(self, other: object) -> bool:
        return not self < other

    def _with(self, term: Term) -> Any:
        return type(self)(self._walk, term)


class _Number(_Some):
    """An amount, a count, or what is worked out from them."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return not self._walk.is_so(AreSame(self.term, Number(0)))

    @property
    def nanoseconds(self) -> "_Number":
        return self

    @property
    def bytes(self) -> "_Number":
        return self

    def __add__(self, other: object) -> Any:
        return self._with(Sum(self.term, _term(other)))

    __radd__ = __add__

    def __mul__(self, other: object) -> Any:
        return self._with(Product(self.term, _term(other)))

    __rmul__ = __mul__

    def __neg__(self) -> "_Negative":
        return _Negative(self)


class _Negative:
    """The first half of a division that is rounded up: `-(-a * b // c)`."""

    def __init__(self, value: _Number) -> None:
        self._value = value

    def __mul__(self, other: object) -> "_Negative":
        return _Negative(self._value * other)

    def __floordiv__(self, divisor: int) -> "_Negative":
        return _Negative(self._value._with(Quotient(self._value.term, divisor)))

    def __neg__(self) -> _Number:
        return self._value


class _Text(_Some):
    __slots__ = ()

    def __bool__(self) -> bool:
        return not self._walk.is_so(AreSame(self.term, Literal("")))


class _Several(_Some):
    """Names, or reads."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return not self._walk.is_so(IsEmpty(self.term))


class _Mark:
    """A figure as it is said: with its caveat."""

    def __init__(self, walk: _Walk, name: str) -> None:
        self._walk = walk
        self._name = name

    def __str__(self) -> str:
        value = self._walk.said(Spelled(OfThreshold(self._name)))
        return f"{value}{self._walk.said(Caveat((self._name,)))}"


def _term(value: object) -> Term:
    match value:
        case _Some():
            return value.term
        case Quantity():
            return Number(value.steps)
        case bool():
            raise TypeError("a rule compares a value with yes or no")
        case int():
            return Number(value)
        case str():
            return Literal(value)
        case _:
            raise TypeError(f"a rule compares a value with {value!r}, which has no meaning later")


@count.register
def _(several: _Several) -> Any:
    return _Number(several._walk, CountOf(several.term))


@stores.register
def _(reads: _Several) -> Any:
    return _Several(reads._walk, StoresOf(reads.term))


@in_order.register
def _(names: _Several) -> Any:
    return _Several(names._walk, InOrder(names.term))


@listed.register
def _(names: _Several, called: Mapping[str, str] = AS_THEY_ARE, between: str = ", ") -> str:
    return names._walk.said(Listed(names.term, tuple(called.items()), between))


@whereabouts.register
def _(reads: _Several) -> str:
    return reads._walk.said(Whereabouts(reads.term))


@milliseconds.register
def _(nanoseconds: _Number) -> str:
    return nanoseconds._walk.said(Milliseconds(nanoseconds.term))


# -- facts and thresholds


def _kinds() -> Mapping[str, type]:
    """The type of every fact, by name; that it may be None aside."""
    hints = get_type_hints(Facts)
    return {
        fact.name: next(kind for kind in get_args(hints[fact.name]) if kind is not NoneType)
        for fact in fields(Facts)
    }


FACTS: Final = _kinds()


def answers_of(fact: str, homes: tuple[Home | None, ...] = IN_A_CLUSTER) -> tuple[Answer, ...]:
    """What can be answered when a rule asks what a fact is."""
    kind = FACTS[fact]
    if fact == "home":
        return homes
    if kind is bool:
        return (None, True, False)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return (None, *kind)
    return (None, STATED)


class _AnyFacts:
    """Facts of whoever."""

    def __init__(self, walk: _Walk) -> None:
        self._walk = walk

    def __getattr__(self, name: str) -> Any:
        if name == "reads_elsewhere":
            return _Several(self._walk, OfFact(name))
        if name not in FACTS:
            raise AttributeError(f"a rule asks for {name}, which is no fact")
        answer = self._walk.ask(WhichIs(name), answers_of(name, self._walk.homes))
        return self._value(name) if answer is STATED else answer

    def _value(self, name: str) -> _Some:
        kind = FACTS[name]
        if kind is str:
            return _Text(self._walk, OfFact(name))
        is_number = kind is int or (isinstance(kind, type) and issubclass(kind, Quantity))
        return (_Number if is_number else _Several)(self._walk, OfFact(name))


class _AnyThresholds:
    """Thresholds, whatever they are set to."""

    def __init__(self, walk: _Walk) -> None:
        self._walk = walk
        self.memory: Callable[[str], _Number] = self._amount
        self.duration: Callable[[str], _Number] = self._amount
        self.share: Callable[[str], _Number] = self._amount

    def _amount(self, name: str) -> _Number:
        return _Number(self._walk, OfThreshold(name))

    @property
    def values(self) -> Any:
        return _Values(self._walk)

    def caveat(self, *names: str) -> str:
        return self._walk.said(Caveat(names))


class _Values:
    def __init__(self, walk: _Walk) -> None:
        self._walk = walk

    def __getitem__(self, name: str) -> _Mark:
        return _Mark(self._walk, name)
