"""What every page is written on: what it may load (nothing), its colours and type, for screen and paper."""

from functools import cache
from importlib.resources import files
from typing import Final

from components.report.markup import Child, Element, document, element
from components.report.palette import variables

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)


def sheet(title: str, body: Element, *, style: str = "") -> str:
    """A page of HTML that is whole by itself. The same body gives the same page."""
    return document(element("html", _head(title, style), body, lang="en"))


def _head(title: str, style: str) -> Element:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", variables(), _base(), style),
    )


def heading(kind: str, title: str, figure: Child, lead: str, *links: Child) -> Element:
    """The top of a page: what it is, its one figure, what to know about it, and the way to its parts."""
    return element(
        "header",
        element("p", kind, class_="quiet"),
        element("h1", title),
        element("p", figure, class_="figure"),
        element("p", lead, class_="lead"),
        element("nav", links, aria_label="Parts of this page"),
    )


@cache
def _base() -> str:
    return files("components.report").joinpath("sheet.css").read_text(encoding="utf-8")
