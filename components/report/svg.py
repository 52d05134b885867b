"""Pieces that the charts share.

A chart is drawn for 400 units, as wide as a telephone, and scales with the page; its text stays text.
"""

from typing import Final

from components.report.markup import Child, Element, Value, element

WIDTH: Final = 400.0


def drawing(height: float, name: str, *children: Child) -> Element:
    """A chart by its name, which is what a reader who does not see it hears; the caption says the rest."""
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        role="img",
        aria_label=name,
        class_="chart",
    )


def line(start: tuple[float, float], end: tuple[float, float], **attributes: Value) -> Element:
    """A straight line."""
    return element("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], **attributes)


def text(at: tuple[float, float], said: str, **attributes: Value) -> Element:
    """Words at a place; `anchor` is the end of them that is there."""
    anchor = attributes.pop("anchor", None)
    return element("text", said, x=at[0], y=at[1], text_anchor=anchor, **attributes)


def path(points: list[tuple[float, float]], **attributes: Value) -> Element:
    """A line through points."""
    return element("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), **attributes)


def dot(at: tuple[float, float], radius: float, said: str, **attributes: Value) -> Element:
    """A point, with what it stands for."""
    return element("circle", element("title", said), cx=at[0], cy=at[1], r=radius, **attributes)
