"""A pod's status from its containers' states."""

from typing import Any

import pytest

from sandbox.node.podstatus import Seen, phase, resumed, status
from sandbox.node.runtime import State

SPEC = {"name": "c", "image": "haproxy:2.6"}
DONE = {"exitCode": 0, "reason": "Completed"}
FAILED = {"exitCode": 1, "reason": "Error"}


def creating() -> State:
    return State()


def running(*, ready: bool = True) -> State:
    return State(waiting=None, started_at="t0", ready=ready, started=True, ever_ran=True)


def ended(how: dict[str, Any]) -> State:
    return State(waiting=None, terminated=how, ever_ran=True)


def looping() -> State:
    return State(waiting="CrashLoopBackOff", last=FAILED, restarts=3, ever_ran=True)


def seen(*states: State, init: tuple[State, ...] = (), policy: str = "Always") -> Seen:
    return Seen(
        address="10.7.2.1",
        host_address="10.7.0.2",
        started_at="t0",
        init=[(SPEC, state) for state in init],
        containers=[(SPEC, state) for state in states],
        restart_policy=policy,
    )


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(seen(creating()), "Pending", id="nothing has started"),
        pytest.param(seen(running(), creating()), "Running", id="one has"),
        pytest.param(seen(creating(), init=(running(),)), "Pending", id="still initializing"),
        pytest.param(seen(looping()), "Running", id="a crash loop is a running pod"),
        pytest.param(seen(ended(DONE)), "Running", id="ended, about to be started again"),
        pytest.param(seen(ended(DONE), policy="Never"), "Succeeded", id="done"),
        pytest.param(seen(ended(DONE), ended(FAILED), policy="Never"), "Failed", id="one failed"),
        pytest.param(seen(ended(FAILED), policy="OnFailure"), "Running", id="failed, about to be retried"),
        pytest.param(seen(creating(), init=(ended(FAILED),), policy="Never"), "Failed", id="init failed"),
    ],
)
def test_phase(pod: Seen, expected: str):
    assert phase(pod) == expected


def conditions(pod: Seen) -> dict[str, str]:
    return {each["type"]: each["status"] for each in status(pod, {}, "t1")["conditions"]}


@pytest.mark.parametrize(
    ("pod", "ready"),
    [
        pytest.param(seen(running()), "True", id="ready"),
        pytest.param(seen(running(), running(ready=False)), "False", id="one of two is not"),
        pytest.param(seen(ended(DONE), policy="Never"), "False", id="done"),
    ],
)
def test_ready(pod: Seen, ready: str):
    assert conditions(pod)["Ready"] == conditions(pod)["ContainersReady"] == ready


def test_a_condition_that_holds_on_keeps_its_time():
    first = status(seen(running()), {}, "t1")
    second = status(seen(running(ready=False)), first, "t2")
    times = {each["type"]: each["lastTransitionTime"] for each in second["conditions"]}
    assert times["Initialized"] == "t1"
    assert times["Ready"] == "t2"
    assert second["startTime"] == "t0"


def test_addresses_are_replaced_and_not_added_to():
    reported = status(seen(running()), {}, "t1")
    assert reported["podIP"] == "10.7.2.1"
    assert reported["podIPs"] == [{"ip": "10.7.2.1"}, {"$patch": "replace"}]
    assert reported["hostIPs"] == [{"ip": "10.7.0.2"}, {"$patch": "replace"}]


def test_a_crash_loop_shows_how_it_ended_before():
    (shown,) = status(seen(looping()), {}, "t1")["containerStatuses"]
    assert shown["state"] == {"waiting": {"reason": "CrashLoopBackOff"}}
    assert shown["lastState"] == {"terminated": FAILED}
    assert (shown["restartCount"], shown["ready"]) == (3, False)


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        pytest.param(None, State(), id="never reported"),
        pytest.param({"state": {"waiting": {}}, "restartCount": 0}, State(), id="never ran"),
        pytest.param(
            {"state": {"running": {"startedAt": "t"}}, "restartCount": 1},
            State(restarts=1, ever_ran=True),
            id="ran until the agent ended: its next start is a restart",
        ),
    ],
)
def test_what_an_agent_before_us_reported(reported: dict[str, Any] | None, state: State):
    assert resumed(reported) == state
