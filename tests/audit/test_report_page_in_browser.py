"""The audit's page in a real browser: nothing fetched, nothing complained of, nothing that does not fit.

Pictures are kept in .artifacts/audit, to be looked at.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from audit_cases import hostile, many
from mixed_example import FOLDER, planned

from components.report.palette import DARK, LIGHT
from policies.audit.outcome import Outcome
from policies.audit.reports import page
from sandbox.paths import REPO
from tests.report.devtools import Browser
from tests.report.in_browser import NARROW, PAPER, SMALLEST_TEXT, STICKING_OUT, browser

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.engine

PICTURES = REPO / ".artifacts" / "audit"
WIDE = 1200
AUDITS: dict[str, Callable[[], Outcome]] = {
    "mixed": planned,
    "hostile": lambda: Outcome(hostile()),
    "many": lambda: Outcome(many(300)),
}
EACH = [(name, width) for name in AUDITS for width in (NARROW, WIDE)]


@pytest.fixture
def show(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Browser]:
    """Open the page of an audit, as wide and as dark as is asked for."""
    monkeypatch.chdir(FOLDER)

    def shown(name: str, width: int, scheme: str = "light") -> Browser:
        file = tmp_path / "audit.html"
        file.write_text(page.report(AUDITS[name]()), encoding="utf-8")
        browser.open(file.as_uri(), width=width, scheme=scheme)
        return browser

    return shown


@pytest.mark.parametrize(("name", "width"), EACH)
def test_the_page_fits_and_nothing_goes_wrong(show: Callable[..., Browser], name: str, width: int):
    shown = show(name, width)
    assert shown.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert shown.evaluate(STICKING_OUT) == []
    assert shown.evaluate(SMALLEST_TEXT) >= 10
    assert not shown.heard("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    (request,) = shown.heard("Network.requestWillBeSent")
    assert request["params"]["request"]["url"].endswith("/audit.html")


@pytest.mark.parametrize("width", [NARROW, WIDE])
@pytest.mark.parametrize(("scheme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_light_and_dark(show: Callable[..., Browser], width: int, scheme: str, palette: dict[str, str]):
    shown = show("mixed", width, scheme)
    red, green, blue = (int(palette["paper"][index : index + 2], 16) for index in (1, 3, 5))
    assert shown.evaluate(PAPER) == f"rgb({red}, {green}, {blue})"
    shown.screenshot(PICTURES / f"{width}-{scheme}.png")


def test_what_stands_over_a_table_is_as_wide_as_it_where_there_is_little_room(show: Callable[..., Browser]):
    shown = show("mixed", NARROW)
    width = "document.querySelector('#plan {}').offsetWidth"
    assert shown.evaluate(width.format("caption")) == shown.evaluate(width.format("table"))


def test_on_paper_it_is_light(show: Callable[..., Browser]):
    shown = show("mixed", WIDE, "dark")
    shown.call("Emulation.setEmulatedMedia", media="print")
    assert shown.evaluate(PAPER) == "rgb(252, 252, 251)"
    assert shown.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    shown.screenshot(PICTURES / "print.png")
    shown.call("Emulation.setEmulatedMedia", media="")
