"""Readiness, liveness and startup probes, with the pod's own periods and thresholds.

A probe is a loop that asks again and again and reports when the answer has turned: after `successThreshold`
successes or `failureThreshold` failures in a row.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.node.api import Object
from sandbox.node.children import die_with_parent, kill_group
from sandbox.node.podspec import port_number

_OK = range(200, 400)
_STATUS_LINE_PARTS = 2
Check = Callable[[], Awaitable[str]]
"""Asks once: an empty string is a success, anything else says what was wrong."""


@dataclass(frozen=True)
class Schedule:
    """When a probe asks, and how many answers in a row count; Kubernetes' names and defaults."""

    initial_delay_s: float = 0
    period_s: float = 10
    timeout_s: float = 1
    success_threshold: int = 1
    failure_threshold: int = 3

    @classmethod
    def of(cls, probe: Object) -> "Schedule":
        """The schedule of a probe's spec."""
        return cls(
            initial_delay_s=probe.get("initialDelaySeconds", 0),
            period_s=probe.get("periodSeconds", 10),
            timeout_s=probe.get("timeoutSeconds", 1),
            success_threshold=probe.get("successThreshold", 1),
            failure_threshold=probe.get("failureThreshold", 3),
        )


class Verdict:
    """Answers in a row, and what they add up to so far."""

    def __init__(self, schedule: Schedule, *, good: bool) -> None:
        """`good` is what holds before the first answer."""
        self.good = good
        self._schedule = schedule
        self._run: tuple[bool, int] = (good, 0)

    def add(self, *, success: bool) -> bool:
        """Count one answer; whether the verdict turned with it, or a failure was confirmed again."""
        last, count = self._run
        self._run = (success, count + 1 if success == last else 1)
        needed = self._schedule.success_threshold if success else self._schedule.failure_threshold
        if self._run[1] < needed or success == self.good:
            return False
        self.good = success
        return True


async def watch(check: Check, schedule: Schedule, report: Callable[[bool, str], None], *, good: bool) -> None:
    """Probe until cancelled; `report(good, reason)` is called whenever the verdict turns."""
    verdict = Verdict(schedule, good=good)
    await asyncio.sleep(schedule.initial_delay_s)
    while True:
        reason = await ask(check, schedule.timeout_s)
        if verdict.add(success=not reason):
            report(verdict.good, reason)
        await asyncio.sleep(schedule.period_s)


async def wait_started(check: Check, schedule: Schedule) -> str:
    """A startup probe: an empty string once it succeeded, the last reason once it failed for good."""
    failures = 0
    await asyncio.sleep(schedule.initial_delay_s)
    while True:
        reason = await ask(check, schedule.timeout_s)
        if not reason:
            return ""
        failures += 1
        if failures >= schedule.failure_threshold:
            return reason
        await asyncio.sleep(schedule.period_s)


async def ask(check: Check, timeout_s: float) -> str:
    """Ask once; no answer in time is a failure."""
    try:
        return await asyncio.wait_for(check(), timeout_s)
    except TimeoutError:
        return f"no answer within {timeout_s:g} s"
    except OSError as error:
        return error.strerror or str(error) or type(error).__name__


def check_of(
    probe: Object, container: Object, address: str, execute: Callable[[Sequence[str]], Awaitable[str]]
) -> Check:
    """The check that a probe's spec describes. `execute` runs a command as the container would."""
    if "httpGet" in probe:
        get = probe["httpGet"]
        headers = {header["name"]: header["value"] for header in get.get("httpHeaders", [])}
        request = HttpGet(
            get.get("host") or address,
            port_number(container, get["port"]),
            get.get("path") or "/",
            headers,
            tls=get.get("scheme", "HTTP").upper() == "HTTPS",
        )
        return request.ask
    if "exec" in probe:
        command = probe["exec"]["command"]
        return lambda: execute(command)
    # gRPC health is asked for as far as this goes without its library: does the port accept connections?
    wanted = probe.get("tcpSocket") or probe["grpc"]
    port = port_number(container, wanted["port"])
    return lambda: _connects(wanted.get("host") or address, port)


@dataclass(frozen=True)
class HttpGet:
    """One HTTP GET, as small as it can be: a probe must not cost more than what it probes."""

    host: str
    port: int
    path: str
    headers: Mapping[str, str]
    tls: bool = False

    async def ask(self) -> str:
        """Status 200 to 399 is a success."""
        reader, writer = await asyncio.open_connection(self.host, self.port, ssl=self._tls())
        try:
            writer.write(self._request())
            line = (await reader.readline()).decode("latin-1").split(None, 2)
        finally:
            writer.transport.abort()
        if len(line) < _STATUS_LINE_PARTS or not line[1].isdigit():
            return "not an HTTP answer"
        return "" if int(line[1]) in _OK else f"HTTP status {line[1]}"

    def _request(self) -> bytes:
        names = {name.lower() for name in self.headers}
        standard = {"Host": f"{self.host}:{self.port}", "User-Agent": "kube-probe/1.37", "Accept": "*/*"}
        headers = {name: value for name, value in standard.items() if name.lower() not in names}
        lines = [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        return "\r\n".join([f"GET {self.path} HTTP/1.1", *lines, "Connection: close", "", ""]).encode()

    def _tls(self) -> ssl.SSLContext | None:
        if not self.tls:
            return None
        # As kubelet does: a probe asks whether it answers, not who it is.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


async def _connects(host: str, port: int) -> str:
    _, writer = await asyncio.open_connection(host, port)
    writer.transport.abort()
    return ""


async def run_command(command: Sequence[str], env: Mapping[str, str], cwd: str) -> str:
    """An exec probe: exit code 0 is a success. The command ends with the question."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=env,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            kill_group(process.pid)
    return "" if code == 0 else f"exit code {code}"
