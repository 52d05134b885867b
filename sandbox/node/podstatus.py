"""A pod's status from the states of its containers: kubelet's rules, as plain functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.node.api import Object
from sandbox.node.runtime import State

# A strategic merge patch would add to these lists, not replace them.
_REPLACE = {"$patch": "replace"}


@dataclass(frozen=True)
class Seen:
    """What is known of a pod now."""

    address: str
    host_address: str
    started_at: str
    init: Sequence[tuple[Object, State]]
    """Init containers' specs and states, in order."""
    containers: Sequence[tuple[Object, State]]
    restart_policy: str = "Always"


def status(seen: Seen, previous: Object, moment: str) -> Object:
    """The status to report, as a strategic merge patch. A condition that did not change keeps its time."""
    conditions = {c["type"]: c for c in previous.get("conditions", [])}
    return {
        "phase": phase(seen),
        "podIP": seen.address,
        "podIPs": [{"ip": seen.address}, _REPLACE],
        "hostIP": seen.host_address,
        "hostIPs": [{"ip": seen.host_address}, _REPLACE],
        "startTime": previous.get("startTime") or seen.started_at,
        "conditions": [
            _condition(kind, holds, reason, conditions.get(kind), moment)
            for kind, (holds, reason) in _conditions(seen).items()
        ],
        "initContainerStatuses": [_container(spec, state) for spec, state in seen.init],
        "containerStatuses": [_container(spec, state) for spec, state in seen.containers],
    }


def phase(seen: Seen) -> str:
    """Pending, Running, Succeeded or Failed."""
    states = [state for _, state in seen.containers]
    if seen.restart_policy == "Never" and any(_failed(state) for _, state in seen.init):
        return "Failed"
    if not _initialized(seen) or not any(state.ever_ran for state in states):
        return "Pending"
    if all(state.terminated for state in states) and seen.restart_policy != "Always":
        if not any(_failed(state) for state in states):
            return "Succeeded"
        if seen.restart_policy == "Never":
            return "Failed"
    return "Running"


def _failed(state: State) -> bool:
    return bool(state.terminated and state.terminated["exitCode"] != 0)


def _initialized(seen: Seen) -> bool:
    return all(state.terminated and not _failed(state) for _, state in seen.init)


def _conditions(seen: Seen) -> Mapping[str, tuple[bool, str]]:
    ready = all(state.ready for _, state in seen.containers)
    done = phase(seen) in {"Succeeded", "Failed"}
    reason = "PodCompleted" if done else "ContainersNotReady"
    return {
        "PodReadyToStartContainers": (not done, ""),
        "Initialized": (_initialized(seen), "ContainersNotInitialized"),
        "ContainersReady": (ready and not done, reason),
        "Ready": (ready and not done, reason),
    }


def _condition(kind: str, holds: bool, reason: str, previous: Object | None, moment: str) -> Object:  # noqa: FBT001 - a condition's own three parts
    word = "True" if holds else "False"
    unchanged = previous is not None and previous["status"] == word
    return {
        "type": kind,
        "status": word,
        "reason": None if holds or not reason else reason,
        "lastTransitionTime": previous["lastTransitionTime"] if previous and unchanged else moment,
    }


def _container(spec: Object, state: State) -> Object:
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": "",
        "ready": state.ready,
        "started": state.started,
        "restartCount": state.restarts,
        "state": _state(state),
        "lastState": {"terminated": state.last} if state.last else {},
    }


def _state(state: State) -> Object:
    if state.terminated:
        return {"terminated": state.terminated}
    if state.waiting:
        return {"waiting": {"reason": state.waiting, **({"message": state.message} if state.message else {})}}
    return {"running": {"startedAt": state.started_at}}


def resumed(reported: Object | None) -> State:
    """The state of a container whose process ended with an agent before us, from what that one reported."""
    if reported is None or not (reported["state"].get("running") or reported["restartCount"]):
        return State()
    return State(restarts=reported["restartCount"], ever_ran=True)
