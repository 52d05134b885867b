"""A real browser without a window, driven by the DevTools protocol over a pair of pipes.

No port, no driver, no library: the browser reads commands from descriptor 3 and writes answers and events to
descriptor 4, each a JSON object that ends in a zero byte.
"""

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

DEADLINE_S = 60.0
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    # Only files that the tests have written are opened, and root has no sandbox.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    # Nothing but the page: without these it calls home at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-quic",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)
# Puts the browser's ends of the pipes where it looks for them, and becomes the browser.
_STARTER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for wanted, end in enumerate(ends, start=3):
    os.dup2(end, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""
Json: TypeAlias = dict[str, Any]


@dataclass
class Browser:
    """A browser with one page. Events are kept in the order in which they came."""

    process: subprocess.Popen[bytes]
    commands: int
    answers: int
    session: str = ""
    events: list[Json] = field(default_factory=list)
    _unread: bytes = b""
    _sent: int = 0

    def call(self, method: str, **parameters: Any) -> Json:
        """Send a command and wait for its answer."""
        self._sent += 1
        message = {"id": self._sent, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            got = self._read()
            if got.get("id") == self._sent:
                assert "error" not in got, f"{method}: {got.get('error')}"
                return dict(got["result"])
            self.events.append(got)

    def wait_for(self, event: str) -> Json:
        """The next event of that name, or the first that came already."""
        while True:
            for index, got in enumerate(self.events):
                if got.get("method") == event:
                    return dict(self.events.pop(index)["params"])
            self.events.append(self._read())

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(self, address: str, *, width: int, scheme: str = "light") -> None:
        """Show a page, as wide as that, to a reader who prefers that scheme."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def screenshot(self, path: Path) -> None:
        """The whole page as a picture."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def heard(self, *methods: str) -> list[Json]:
        """The events of these names so far."""
        return [got for got in self.events if got.get("method") in methods]

    def _read(self) -> Json:
        deadline = time.monotonic() + DEADLINE_S
        while b"\0" not in self._unread:
            left = deadline - time.monotonic()
            if not select.select([self.answers], [], [], max(0.0, left))[0]:
                raise TimeoutError(f"the browser said nothing for {DEADLINE_S} s")
            part = os.read(self.answers, 1 << 20)
            if not part:
                raise EOFError(f"the browser ended with {self.process.wait(DEADLINE_S)}")
            self._unread += part
        one, _, self._unread = self._unread.partition(b"\0")
        return dict(json.loads(one))


@contextmanager
def running(program: str, directory: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, and a page in it; gone when the block is left."""
    to_browser, commands = os.pipe()
    answers, from_browser = os.pipe()
    argv = [program, *_FLAGS, f"--user-data-dir={directory / 'profile'}", "about:blank"]
    ends = (to_browser, from_browser)
    with (directory / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _STARTER, *map(str, ends), *argv],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"HOME": str(directory), "XDG_CACHE_HOME": str(directory / "cache")},
            start_new_session=True,
        )
    os.close(to_browser)
    os.close(from_browser)
    browser = Browser(process, commands, answers)
    try:
        _attach(browser)
        yield browser
    finally:
        _close(browser)


def _attach(browser: Browser) -> None:
    targets = browser.call("Target.getTargets")["targetInfos"]
    (page,) = [target for target in targets if target["type"] == "page"]
    answer = browser.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
    browser.session = answer["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable")


def _close(browser: Browser) -> None:
    with suppress(OSError, EOFError, TimeoutError):
        browser.session = ""
        browser.call("Browser.close")
    try:
        browser.process.wait(10)
    except subprocess.TimeoutExpired:
        browser.process.kill()
        browser.process.wait()
    os.close(browser.commands)
    os.close(browser.answers)
