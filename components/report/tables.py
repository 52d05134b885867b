"""Tables that scroll by themselves where the page is narrow."""

from collections.abc import Iterable, Sequence

from components.report.markup import Child, Element, element


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numbers: Iterable[int] = (),
    foot: Sequence[Child] | None = None,
) -> Element:
    """A table whose first column names the rows. `numbers` are the columns that stand to the right."""
    right = frozenset(numbers)
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element(
                "thead", element("tr", (_heading(index, each, right) for index, each in enumerate(headings)))
            ),
            element("tbody", (_row(each, right) for each in rows)),
            element("tfoot", _row(foot, right)) if foot is not None else None,
        ),
        class_="scroll",
        role="region",
        aria_label=caption,
        tabindex=0,
    )


def _heading(index: int, said: str, right: frozenset[int]) -> Element:
    return element("th", said, scope="col", class_="number" if index in right else None)


def _row(cells: Sequence[Child], right: frozenset[int]) -> Element:
    first, *rest = cells
    return element(
        "tr",
        element("th", first, scope="row"),
        (
            element("td", cell, class_="number" if index in right else None)
            for index, cell in enumerate(rest, start=1)
        ),
    )
