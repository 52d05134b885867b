"""The page in a real browser: nothing fetched, nothing complained of, nothing that does not fit.

Pictures are kept in .artifacts/report, to be looked at.
"""

from pathlib import Path

import pytest
from report_cases import PLANS

from components.report import page
from components.report.palette import DARK, LIGHT
from sandbox.paths import REPO
from tests.report.devtools import Browser
from tests.report.in_browser import NARROW, PAPER, SMALLEST_TEXT, STICKING_OUT, WIDE, browser

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.engine

PICTURES = REPO / ".artifacts" / "report"
REASONS = "[...document.querySelectorAll('.matrix details p')].filter(each => each.checkVisibility()).length"


@pytest.fixture
def shown(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Browser:
    """The browser with the page of the plan that the test names, as narrow and as dark as it says."""
    name, width, scheme = request.param
    file = tmp_path / "report.html"
    file.write_text(page(PLANS[name]()), encoding="utf-8")
    browser.open(file.as_uri(), width=width, scheme=scheme)
    return browser


def showing(*cases: tuple[str, int, str]) -> pytest.MarkDecorator:
    ids = [f"{name}, {width} px, {scheme}" for name, width, scheme in cases]
    return pytest.mark.parametrize("shown", cases, ids=ids, indirect=True)


@showing(*((name, width, "light") for name in PLANS for width in (NARROW, WIDE)))
def test_the_page_fits_and_nothing_goes_wrong(shown: Browser):
    assert shown.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert shown.evaluate(STICKING_OUT) == []
    assert shown.evaluate(SMALLEST_TEXT) >= 10
    assert not shown.heard("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
    (request,) = shown.heard("Network.requestWillBeSent")
    assert request["params"]["request"]["url"].endswith("/report.html")


@showing(*(("all homes", width, scheme) for width in (NARROW, WIDE) for scheme in ("light", "dark")))
def test_light_and_dark(shown: Browser, request: pytest.FixtureRequest):
    _, width, scheme = request.node.callspec.params["shown"]
    paper = {"light": LIGHT, "dark": DARK}[scheme]["paper"]
    red, green, blue = (int(paper[index : index + 2], 16) for index in (1, 3, 5))
    assert shown.evaluate(PAPER) == f"rgb({red}, {green}, {blue})"
    shown.screenshot(PICTURES / f"{width}-{scheme}.png")


@showing(("all homes", WIDE, "dark"))
def test_on_paper_it_is_light_and_every_reason_is_there(shown: Browser):
    folded = shown.evaluate(REASONS)
    shown.call("Emulation.setEmulatedMedia", media="print")
    assert shown.evaluate(PAPER) == "rgb(252, 252, 251)"
    printed, there = shown.evaluate(REASONS), "document.querySelectorAll('.matrix details').length"
    assert folded < printed == shown.evaluate(there)
    shown.screenshot(PICTURES / "print.png")
    shown.call("Emulation.setEmulatedMedia", media="")


@showing(("all homes", WIDE, "light"))
def test_a_reason_opens_by_key(shown: Browser):
    before = shown.evaluate(REASONS)
    shown.evaluate("document.querySelector('.matrix details:not([open]) summary').focus()")
    for kind in ("keyDown", "keyUp"):
        shown.call("Input.dispatchKeyEvent", type=kind, key="Enter", text="\r", windowsVirtualKeyCode=13)
    assert shown.evaluate(REASONS) == before + 1


@showing(("all homes", WIDE, "light"))
def test_the_policy_holds(shown: Browser):
    shown.evaluate(
        "void (document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'})))"
    )
    shown.wait_for("Log.entryAdded")
    sent = [each["params"]["request"]["url"] for each in shown.heard("Network.requestWillBeSent")]
    failed = [each["params"] for each in shown.heard("Network.loadingFailed")]
    assert len(sent) == 1 or all(each.get("blockedReason") == "csp" for each in failed)
