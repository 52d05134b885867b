"""What a workload costs at each home it may have, over how busy it keeps what it has.

A chart of all that nodes can take says little where the crossing and today's traffic are both far left. So it
ends a little past the last thing that there is to see.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final

from components.placement.cost import Comparison, Contender, Crossing, Level
from components.placement.homes import Home
from components.placement.latency import counted
from components.placement.options import OptionError
from components.placement.plan import Planned
from components.placement.plan.words import described
from components.placement.subjects import has_twin
from components.report.markup import Element, element
from components.report.scale import Linear, apart, ceiling
from components.report.svg import dot, drawing, line, path, text
from components.spec import Money

_LEFT, _RIGHT = 52.0, 300.0
_TALL: Final = 184.0
_BELOW: Final = 44.0
_FIRST_WORDS: Final = 14.0
_PAST: Final = 2.2
"""How far the chart goes beyond the last crossing or today's rate."""
_LEAST: Final = 0.001
"""The least part of all that nodes can take that it shows."""
_SHOWN: Final = 0.001
_SAME: Final = 1e-9
_GAP: Final = 15.0
_TURN: Final = (_LEFT + 2 * _RIGHT) / 3
"""Words are to the right of a mark, but where there is no room for them."""
_TICKS_UP, _TICKS_ALONG = 5, 5


def cost_chart(each: Planned) -> Element | None:
    """The figure, with its caption; None where the home has no price."""
    if each.comparison is None:
        return None
    try:
        return _Chart.of(each, each.comparison).figure()
    except OptionError as error:
        return element("figure", element("figcaption", f"No chart of costs: {error}"))


@dataclass(frozen=True, slots=True)
class _Mark:
    """A rate worth marking, with its words."""

    per_second: float
    dollars: float
    said: str
    kind: str
    dot: str


@dataclass(frozen=True)
class _Chart:
    each: Planned
    comparison: Comparison
    levels: tuple[Level, ...]
    along: Linear
    highest: float

    @property
    def top(self) -> float:
        """Where the plot begins: below the words of all marks."""
        return _FIRST_WORDS + 12 + _GAP * (max(1, len(self.marks)) - 1)

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + _TALL

    @property
    def up(self) -> Linear:
        """The scale of dollars."""
        return Linear(0.0, self.highest, self.bottom, self.top)

    @classmethod
    def of(cls, each: Planned, whole: Comparison) -> "_Chart":
        """The part of a comparison that there is something to see in, with its scales."""
        seen = [_today(whole), *(each.rate.per_second for each in chain(*whole.crossings))]
        top = whole.span.top
        comparison = whole.up_to(min(top, max(_PAST * max(seen), _LEAST * top)))
        levels = comparison.levels
        highest = max(float(money.amount) for level in levels for money in level.money)
        along = Linear(0.0, _place(comparison, comparison.span.top), _LEFT, _RIGHT)
        return cls(each, comparison, levels, along, ceiling(highest or 1.0))

    def figure(self) -> Element:
        """Chart and caption."""
        name = f"Cost of {self.each.name} at each home, over utilisation"
        return element(
            "figure",
            element("h4", "Cost, and where it breaks even"),
            drawing(self.bottom + _BELOW, name, self._axes(), self._lines(), self._marks(), self._labels()),
            element("figcaption", " ".join(self._caption())),
        )

    def _axes(self) -> Iterator[Element]:
        for dollars in self.up.ticks(_TICKS_UP):
            y = self.up(dollars)
            yield line((_LEFT, y), (_RIGHT, y), class_="grid")
            yield text((_LEFT - 6, y + 4), _money(dollars), anchor="end", class_="tick")
        for place in self.along.ticks(_TICKS_ALONG):
            x = self.along(place)
            yield line((x, self.bottom), (x, self.bottom + 4), class_="axis")
            yield text((x, self.bottom + 18), self._told(place), anchor="middle", class_="tick")
        yield line((_LEFT, self.bottom), (_RIGHT, self.bottom), class_="axis")
        yield text((0, 14), "$ a month", class_="axis-name")
        middle = (_LEFT + _RIGHT) / 2
        yield text((middle, self.bottom + _BELOW - 8), self._axis_name(), anchor="middle", class_="axis-name")

    def _told(self, place: float) -> str:
        return f"{place:,.6g}" if self.comparison.span.reference is None else f"{place * 100:.3g}%"

    def _marked(self, per_second: float) -> str:
        place = _place(self.comparison, per_second)
        if self.comparison.span.reference is None:
            return f"{counted(place)}/s"
        return f"{place:.1%}" if place >= _SHOWN else f"<{_SHOWN:.1%}"

    def _axis_name(self) -> str:
        reference = self.comparison.span.reference
        return "requests a second" if reference is None else f"utilisation of {described(reference.option)}"

    def _lines(self) -> Iterator[Element]:
        """The home that it gets on top of the others."""
        for index, contender in reversed(list(enumerate(self.comparison.contenders))):
            points = [
                (self._across(level.rate.per_second), self._height(level.money[index]))
                for level in self.levels
            ]
            yield path(points, class_=f"line {contender.option.home}{'' if index else ' chosen'}")

    def _labels(self) -> Iterator[Element]:
        """The homes, each at the end of its line."""
        ends = [self._height(money) + 4 for money in self.levels[-1].money]
        for contender, y in zip(
            self.comparison.contenders, apart(ends, _GAP, self.top + 4, self.bottom), strict=True
        ):
            home = contender.option.home
            yield text((_RIGHT + 7, y), _short(home), class_=f"label {home}")

    @cached_property
    def marks(self) -> tuple[_Mark, ...]:
        """Where each other home costs the same, and today, in the order of the rows that their words have."""
        return tuple(sorted(self._marked_places(), key=self._order))

    def _marks(self) -> Iterator[Element]:
        """Each with its words in a row of their own, above the plot."""
        for row, mark in enumerate(self.marks):
            x, y = self._across(mark.per_second), _FIRST_WORDS + row * _GAP
            right = x < _TURN
            yield line((x, y - 11), (x, self.bottom), class_=mark.kind)
            yield dot(
                (x, self.up(mark.dollars)), 4.5, f"{mark.said}: ${mark.dollars:,.2f} a month", class_=mark.dot
            )
            at = (x + (5 if right else -5), y)
            yield text(at, mark.said, anchor="start" if right else "end", class_="mark")

    def _order(self, mark: _Mark) -> tuple[bool, float]:
        """No words across the line of another: what is written to the right from left to right, then back."""
        x = self._across(mark.per_second)
        return x >= _TURN, x if x < _TURN else -x

    def _marked_places(self) -> Iterator[_Mark]:
        own, *others = self.comparison.contenders
        for other, crossings in zip(others, self.comparison.crossings, strict=True):
            for crossing in crossings:
                per_second = crossing.rate.per_second
                said = f"break-even {self._marked(per_second)}, {_short(other.option.home)}"
                yield _Mark(per_second, float(crossing.money.amount), said, "break-even", "break-even")
        today = _today(self.comparison)
        if today <= self.comparison.span.top:
            said, home = f"now {self._marked(today)}", own.option.home
            yield _Mark(today, own.bill.dollars(today), said, "now", f"now {home}")

    def _across(self, per_second: float) -> float:
        return self.along(_place(self.comparison, per_second))

    def _height(self, money: Money) -> float:
        return self.up(float(money.amount))

    def _caption(self) -> Iterator[str]:
        own, *others = self.comparison.contenders
        told = [self._beside_another(*pair) for pair in zip(others, self.comparison.crossings, strict=True)]
        if told:
            yield f"{own.option.home.capitalize()} {'; '.join(told)}."
        else:
            yield "No other home may be had, so there is none to break even with."
        if any(has_twin(self.each.placement.workload, each.option.home) for each in (own, *others)):
            yield "Nodes are without their function twin here, which would be paid for what they cannot take."
        today, reference = _today(self.comparison), self.comparison.span.reference
        if reference is None:
            return
        busy = self._marked(today)
        part = f"{busy} of" if today <= self.comparison.span.top else "more than"
        yield f"Now {counted(today)} requests a second, {part} what {described(reference.option)} can do."

    def _beside_another(self, other: Contender, crossings: Sequence[Crossing]) -> str:
        home = other.option.home
        if crossings:
            places = (self._marked(each.rate.per_second) for each in crossings)
            return f"breaks even with {home} at {' and '.join(places)}"
        middle = self.comparison.span.top / 2
        own, theirs = (each.bill.dollars(middle) for each in (self.comparison.contenders[0], other))
        if math.isclose(own, theirs, rel_tol=_SAME):
            return f"costs the same as {home} throughout"
        return f"is {'cheaper' if own < theirs else 'dearer'} than {home} throughout"


def _money(dollars: float) -> str:
    """Short enough for the left of the axis."""
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if dollars >= 10 * size:
            return f"${dollars / size:,.12g}{unit}"
    return f"${dollars:,.12g}"


def _short(home: Home) -> str:
    return home.removesuffix("-function")


def _today(comparison: Comparison) -> float:
    return comparison.contenders[0].demand.rate.per_second


def _place(comparison: Comparison, per_second: float) -> float:
    busy = comparison.span.utilization(per_second)
    return per_second if busy is None else busy.fraction
