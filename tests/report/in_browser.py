"""A page in a real browser: the browser, and what to ask of any page in it."""

from collections.abc import Iterator

import pytest

from sandbox.progress import Progress
from sandbox.toolchain import ensure
from tests.report.devtools import Browser, running

NARROW, WIDE = 400, 1280

# Elements with words of their own that stick out of the page and that nothing around them lets scroll.
STICKING_OUT = """
[...document.querySelectorAll('body *')].filter(each => {
  const box = each.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !each.closest('.scroll, .skip');
}).map(each => each.outerHTML.slice(0, 200))
"""
SMALLEST_TEXT = """
Math.min(...[...document.querySelectorAll('body *')]
  .filter(each => [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
  .filter(each => each.checkVisibility() && each.tagName !== 'TITLE' && each.tagName !== 'title')
  .map(each => {
    const chart = each.closest('svg');
    const scale = chart && chart.viewBox.baseVal ? chart.clientWidth / chart.viewBox.baseVal.width : 1;
    return parseFloat(getComputedStyle(each).fontSize) * scale;
  }))
"""
PAPER = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = ensure(["browser"], Progress()).path("chromium")
    with running(str(program), tmp_path_factory.mktemp("browser")) as started:
        yield started
