"""The function twin of a workload on nodes: when it is asked for anything, and what the rules say of it.

A twin is a function like any other, so every rule judges it as one. Two things set it apart. It is not there
for the traffic but for what is left of it when the replicas are busy, so what share of the day those are busy
says nothing against it. And it is behind an API of its own, whatever is in front of the workload, because the
gateway calls it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from components.catalog import Catalog
from components.placement.facts import Facts, FrontDoor
from components.placement.homes import Home
from components.placement.judging import Answer
from components.placement.placements import Finding
from components.placement.settings import Settings
from components.placement.subjects import Site, concurrency_of, has_twin, replicas_of, workload_facts
from components.spec import Stack, Workload

_PATHS: Final = {
    "long-execution": "serve.function.timeout",
    "cold-start-budget": "latency.cold_start_tolerance",
    "runaway-function": "serve.function",
}
_TWIN: Final = "placement.twin"

_OTHERWISE: Final = {
    "memory-over-function-limit": "lower `needs.memory` and `serve.function.memory` to what it really takes",
    "long-execution": "raise `serve.function.timeout`, or correct `traffic.service_time`",
    "cold-start-budget": (
        "allow more in `latency.cold_start_tolerance`, or name the size of a small package in"
        " `serve.function.package`"
    ),
    "jitter-budget": "allow more in `latency.jitter`",
    "state-locality": "give it a latency budget that bears reads across zones",
}


def twin_facts(stack: Stack, catalog: Catalog, workload: Workload, home: Home) -> Facts | None:
    """Facts of a workload's function twin; None where it has none at that home."""
    if not has_twin(workload, home):
        return None
    return replace(
        workload_facts(stack, catalog, workload, Site(Home.FUNCTION)),
        twin=True,
        warm_replicas=replicas_of(workload),
        front_door=FrontDoor.HTTP_API,
    )


def queued_before_twin(workload: Workload) -> int:
    """Requests that may wait in a pod of the gateway before the next goes to the twin.

    As many as the workload states, else as many as its replicas work on at once.
    """
    twin = workload.placement.twin
    if twin is not None and twin.queue is not None:
        return twin.queue
    return replicas_of(workload) * concurrency_of(workload)


def unused_twin(workload: Workload, home: Home) -> str:
    """Why a twin that is asked for is not made at that home; empty where one is, or none is asked for."""
    if workload.placement.twin is None or has_twin(workload, home):
        return ""
    return f"`placement.twin` does nothing: on {home.described} there are no pods before it"


def twin_findings(settings: Settings, own: Facts, twin: Facts, path: str) -> Iterator[Finding]:
    """What the rules say against a twin and have not said of the workload's own home already."""
    said = {setting.rule.id: verdict for setting, verdict in settings.judge(own)}
    for setting, verdict in settings.judge(twin):
        if verdict.answer is Answer.FITS or verdict == said[setting.rule.id]:
            continue
        rule = setting.rule
        yield replace(
            Finding.of(setting, verdict, twin.subject, f"{path}.{_PATHS.get(rule.id, _TWIN)}"),
            reason=f"of its function twin: {verdict.reason}",
            remedy=rule.remedy if rule.id == "runaway-function" else _remedy(rule.id),
        )


def _remedy(rule: str) -> str:
    otherwise = _OTHERWISE.get(rule)
    return f"remove `{_TWIN}`" if otherwise is None else f"{otherwise}, or remove `{_TWIN}`"
