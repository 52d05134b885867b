"""Probes: what counts as an answer, and how many of them count."""

import asyncio
import sys
from collections.abc import Sequence

import pytest

from sandbox.node.probes import HttpGet, Schedule, Verdict, ask, check_of, run_command, wait_started, watch

DEADLINE_S = 60.0
CONTAINER = {"name": "c", "ports": [{"name": "http", "containerPort": 8000}]}


@pytest.mark.parametrize(
    ("good", "answers", "turns"),
    [
        pytest.param(False, "+", "+", id="one success makes it ready"),
        pytest.param(False, "---", "...", id="not ready stays so without being told again"),
        pytest.param(True, "--", "..", id="two failures are not three"),
        pytest.param(True, "---", "..-", id="three failures in a row"),
        pytest.param(True, "--+--", ".....", id="a success in between starts the count anew"),
        pytest.param(True, "---+", "..-+", id="and back"),
    ],
)
def test_verdict(answers: str, turns: str, *, good: bool):
    verdict = Verdict(Schedule(failure_threshold=3, success_threshold=1), good=good)
    seen = ["." if not verdict.add(success=answer == "+") else "-+"[verdict.good] for answer in answers]
    assert "".join(seen) == turns


@pytest.mark.parametrize(
    ("status_line", "reason"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", "", id="200"),
        pytest.param(b"HTTP/1.1 302 Found\r\n\r\n", "", id="a redirect is a success"),
        pytest.param(b"HTTP/1.1 503 Busy\r\n\r\n", "HTTP status 503", id="503"),
        pytest.param(b"SSH-2.0\r\n", "not an HTTP answer", id="another protocol"),
        pytest.param(b"", "not an HTTP answer", id="nothing"),
    ],
)
def test_http_get(status_line: bytes, reason: str):
    requests: list[bytes] = []

    async def case() -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(status_line)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await ask(HttpGet("127.0.0.1", port, "/ready", {"X-Probe": "1"}).ask, DEADLINE_S)
        finally:
            server.close()

    assert asyncio.run(case()) == reason
    assert requests[0].startswith(b"GET /ready HTTP/1.1\r\n")
    assert b"X-Probe: 1\r\n" in requests[0]


def test_no_answer_in_time_is_a_failure():
    assert "no answer within 0.05 s" in asyncio.run(ask(lambda: asyncio.sleep(60, ""), 0.05))


def test_a_refused_connection_says_so():
    check = check_of({"tcpSocket": {"port": 1}}, CONTAINER, "127.0.0.1", execute)
    assert asyncio.run(ask(check, DEADLINE_S))


async def execute(command: Sequence[str]) -> str:
    return await run_command(command, {}, "/")


@pytest.mark.parametrize(("code", "reason"), [(0, ""), (3, "exit code 3")])
def test_exec(code: int, reason: str):
    probe = {"exec": {"command": [sys.executable, "-c", f"raise SystemExit({code})"]}}
    assert asyncio.run(ask(check_of(probe, CONTAINER, "127.0.0.1", execute), DEADLINE_S)) == reason


def test_an_exec_probe_that_hangs_is_ended():
    probe = {"exec": {"command": [sys.executable, "-c", "import time; time.sleep(600)"]}}
    check = check_of(probe, CONTAINER, "127.0.0.1", execute)
    assert "no answer" in asyncio.run(ask(check, 0.3))


def test_a_probe_reports_when_its_answer_turns():
    answers = iter(["starting", "", "", "broken", "broken", ""])

    async def case() -> list[tuple[bool, str]]:
        reports: list[tuple[bool, str]] = []
        finished = asyncio.Event()

        async def check() -> str:
            answer = next(answers, None)
            if answer is None:
                finished.set()
                return await asyncio.sleep(60, "")
            return answer

        schedule = Schedule(period_s=0, failure_threshold=2)
        probing = asyncio.create_task(
            watch(check, schedule, lambda good, reason: reports.append((good, reason)), good=False)
        )
        await asyncio.wait_for(finished.wait(), DEADLINE_S)
        probing.cancel()
        return reports

    assert asyncio.run(case()) == [(True, ""), (False, "broken"), (True, "")]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        pytest.param(["no", "no", ""], "", id="it started in time"),
        pytest.param(["no", "no", "still no"], "still no", id="it did not"),
    ],
)
def test_startup_probe(answers: list[str], reason: str):
    given = iter(answers)

    async def check() -> str:
        return next(given)

    assert asyncio.run(wait_started(check, Schedule(period_s=0, failure_threshold=3))) == reason
