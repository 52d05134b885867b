"""How long requests take at each home: a row for each, on one logarithmic axis, with the budget across.

The thin line is from the 5th to the 99th of 100 requests, the bar the middle half, the mark the median.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from components.placement.latency import Latency, length
from components.placement.plan import Alternative, Planned
from components.report.markup import Element, element
from components.report.scale import Log
from components.report.svg import WIDTH, dot, drawing, line, text
from components.spec.units import Duration

_LEFT, _RIGHT, _TOP = 8.0, WIDTH - 8.0, 30.0
_ROW: Final = 44.0
_BELOW: Final = 44.0
_BAR: Final = 10.0
_MIDDLE: Final = 30.0
"""Where in a row its bar is; above it are the words."""
_ACROSS: Final = 11.0
_SPAN: Final = 10.0
"""The axis is a decade or more, so that there are marks on it."""
_BELOW_LEAST, _ABOVE_MOST = 0.8, 1.3
_MILLISECOND: Final = 1e-3


def latency_chart(each: Planned) -> Element | None:
    """The figure, with its caption; None where no home has a latency."""
    rows = [
        (alternative, alternative.latency)
        for alternative in each.alternatives
        if alternative.latency is not None
    ]
    return _Chart.of(each, rows).figure() if rows else None


@dataclass(frozen=True)
class _Chart:
    each: Planned
    rows: list[tuple[Alternative, Latency]]
    along: Log

    @classmethod
    def of(cls, each: Planned, rows: list[tuple[Alternative, Latency]]) -> "_Chart":
        """With a scale that holds all times that end, and the budget."""
        times = [time for _, latency in rows for _, time in latency.quantiles]
        seconds = [max(time.seconds, 1e-9) for time in (*times, each.budget) if time is not None]
        low, high = min(seconds, default=_MILLISECOND), max(seconds, default=_MILLISECOND)
        wider = max(1.0, math.sqrt(_SPAN * low / high))
        return cls(each, rows, Log(low * _BELOW_LEAST / wider, high * _ABOVE_MOST * wider, _LEFT, _RIGHT))

    def figure(self) -> Element:
        """Chart and caption."""
        bottom = _TOP + _ROW * len(self.rows)
        name = f"Latency of {self.each.name} at each home"
        return element(
            "figure",
            element("h4", "Latency, and its budget"),
            drawing(
                bottom + _BELOW,
                name,
                self._axis(bottom),
                self._budget(),
                (self._row(row, *each) for row, each in enumerate(self.rows)),
            ),
            element("figcaption", " ".join(self._caption())),
        )

    def _axis(self, bottom: float) -> Iterator[Element]:
        for seconds in self.along.ticks():
            x = self.along(seconds)
            yield line((x, _TOP), (x, bottom), class_="grid")
            anchor = "start" if x < _LEFT + 15 else "end" if x > _RIGHT - 15 else "middle"
            yield text((x, bottom + 18), _told(seconds), anchor=anchor, class_="tick")
        yield line((_LEFT, bottom), (_RIGHT, bottom), class_="axis")
        middle = (_LEFT + _RIGHT) / 2
        yield text((middle, bottom + 36), "one request, logarithmic", anchor="middle", class_="axis-name")

    def _budget(self) -> Iterator[Element]:
        if self.each.budget is None:
            return
        x = self.along(max(self.each.budget.seconds, 1e-9))
        right = x < (_LEFT + _RIGHT) / 2
        yield line((x, _TOP - 14), (x, _TOP), class_="budget")
        for row in range(len(self.rows)):
            y = _TOP + row * _ROW + _MIDDLE
            yield line((x, y - _ACROSS), (x, y + _ACROSS), class_="budget")
        said = f"p99 budget {length(self.each.budget)}"
        at = (x + (5 if right else -5), _TOP - 6)
        yield text(at, said, anchor="start" if right else "end", class_="mark")

    def _row(self, row: int, alternative: Alternative, latency: Latency) -> Iterator[Element]:
        top = _TOP + row * _ROW
        y, home = top + _MIDDLE, alternative.home
        chosen = " chosen" if home is self.each.placement.home else ""
        yield text((_LEFT, top + 16), f"{home}", class_=f"label {home}{chosen}")
        within = {share: self._at(time) for share, time in latency.quantiles}
        low, high = within[0.25], within[0.75]
        yield line((within[0.05], y), (within[0.99], y), class_=f"whisker {home}")
        yield element(
            "rect", x=low, y=y - _BAR / 2, width=max(1.0, high - low), height=_BAR, class_=f"middle {home}"
        )
        yield line((within[0.50], y - 8), (within[0.50], y + 8), class_="median")
        for share, time in ((0.95, latency.p95), (0.99, latency.p99)):
            said = f"p{share * 100:.0f} {length(time)}"
            yield dot((within[share], y), 3.5, said, class_=f"tail {home}")
        figures = f"p50 {length(latency.p50)} · p95 {length(latency.p95)} · p99 {length(latency.p99)}"
        yield text((_RIGHT, top + 16), figures, anchor="end", class_="figures")

    def _at(self, time: Duration | None) -> float:
        """What never ends is at the edge."""
        return _RIGHT if time is None else self.along(max(time.seconds, 1e-9))

    def _caption(self) -> Iterator[str]:
        yield "Line: the 5th to the 99th of 100 requests. Bar: the middle half, and in it the median."
        yield "Dots: p95 and p99."
        endless = [alternative.home for alternative, latency in self.rows if latency.overloaded]
        if endless:
            yield f"Endless on {' and '.join(endless)}: more requests come than are served."


def _told(seconds: float) -> str:
    return length(Duration.of(round(seconds * 1e9), "ns"))
