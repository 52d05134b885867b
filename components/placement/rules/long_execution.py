"""A request that takes long is worked on in a container, and never where something cuts it off.

Three things end a request early: the API or gateway in front (whatever is behind it, a pod too), Lambda's own
limit, and the timeout of the function. Beyond any of them the work is lost, so it is refused. Between the
time from which a container costs less and the limit, a function works and is advised against.

Where it is not known what is in front, a request is refused only if every way in ends it, and fits only if
none does.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from components.placement.facts import Facts, FrontDoor, Platform, Role
from components.placement.homes import Home
from components.placement.judging import (
    Parameter,
    Rule,
    Thresholds,
    Verdict,
    advised_against,
    fits,
    refused,
    undecided,
)
from components.spec.units import Duration

_CONTAINER_OVER = "container_over"
_HTTP_API = "http_api"
_REST_API = "rest_api"
_REST_API_STREAMED = "rest_api_streamed"
_GATEWAY = "gateway"
_FUNCTION = "function"
_MANAGED_INSTANCES = "managed_instances"
_CLOUD_RUN = "cloud_run"
_SAGEMAKER_SERVERLESS = "sagemaker_serverless"

_OF_DOOR: Final = {
    FrontDoor.HTTP_API: _HTTP_API,
    FrontDoor.REST_API: _REST_API,
    FrontDoor.REST_API_STREAMED: _REST_API_STREAMED,
    FrontDoor.GATEWAY: _GATEWAY,
}
_OF_PLATFORM: Final = {
    Platform.CLOUD_RUN: _CLOUD_RUN,
    Platform.SAGEMAKER_SERVERLESS: _SAGEMAKER_SERVERLESS,
}
_SAID: Final = {
    _HTTP_API: "an HTTP API",
    _REST_API: "a REST API",
    _REST_API_STREAMED: "a REST API that streams the answer",
    _GATEWAY: "the gateway in the cluster",
    _FUNCTION: "a function",
    _MANAGED_INSTANCES: "Lambda Managed Instances",
    _CLOUD_RUN: "Cloud Run",
    _SAGEMAKER_SERVERLESS: "SageMaker Serverless Inference",
}


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.role is Role.NODES:
        return fits("nodes work on what runs on them")
    if facts.home is None:
        return undecided("home")
    # How long a control function works is not stated; its timeout is the longest that it can.
    name = "timeout" if facts.role is Role.CONTROL else "service_time"
    takes: Duration | None = getattr(facts, name)
    if takes is None:
        return undecided(name)
    if facts.home.is_function and facts.platform is not None:
        return _on_platform(facts, takes, _OF_PLATFORM[facts.platform], thresholds)
    return _judge(facts, facts.home, takes, thresholds)


def _on_platform(facts: Facts, takes: Duration, limit: str, thresholds: Thresholds) -> Verdict:
    """A container that is reached without API Gateway: its own limits are all there are."""
    said = f"a request takes {takes}"
    if takes > thresholds.duration(limit):
        return refused(f"{said}, over the {_limit(limit, thresholds)}")
    if facts.timeout is None:
        return undecided("timeout")
    if takes > facts.timeout:
        return refused(f"{said}, over the {facts.timeout} of its own timeout")
    return fits(f"{said}, within the {facts.timeout} of its own timeout")


def _judge(facts: Facts, home: Home, takes: Duration, thresholds: Thresholds) -> Verdict:
    said = f"a request {'may take' if facts.role is Role.CONTROL else 'takes'} {takes}"
    for limit in _certain(facts, home):
        if takes > thresholds.duration(limit):
            return refused(f"{said}, over the {_limit(limit, thresholds)}")
    if facts.timeout is not None and takes > facts.timeout:
        return refused(f"{said}, over the {facts.timeout} of its own timeout")
    possible = list(_possible(facts, home))
    if any(takes > thresholds.duration(limit) for limit in possible) or _lacks_timeout(facts, home):
        return undecided(*_unknown(facts, home))
    if home.is_function and takes > thresholds.duration(_CONTAINER_OVER):
        over = f"over {thresholds.values[_CONTAINER_OVER]} a container costs less than {home.described}"
        return advised_against(f"{said}, and {over}")
    first = min(possible, key=thresholds.duration, default=None)
    return fits(
        f"{said}, {f'within the {_limit(first, thresholds)}' if first else 'and nothing cuts it off'}"
    )


def _certain(facts: Facts, home: Home) -> Iterator[str]:
    """The limits that it meets, whatever is not known."""
    if facts.front_door in _OF_DOOR:
        yield _OF_DOOR[facts.front_door]
    if home.is_function:
        yield _MANAGED_INSTANCES if _may_run_longer(facts, home) else _FUNCTION


def _possible(facts: Facts, home: Home) -> Iterator[str]:
    """The limits that it may meet."""
    if facts.front_door is None:
        yield from _OF_DOOR.values()
    elif facts.front_door in _OF_DOOR:
        yield _OF_DOOR[facts.front_door]
    if home.is_function:
        known = facts.managed_instances is True and facts.front_door is FrontDoor.ASYNCHRONOUS
        yield _MANAGED_INSTANCES if known and home is Home.RESERVED_FUNCTION else _FUNCTION


def _may_run_longer(facts: Facts, home: Home) -> bool:
    """Whether it may be on Managed Instances with nobody waiting, the one case with a limit of its own."""
    return (
        home is Home.RESERVED_FUNCTION
        and facts.managed_instances is not False
        and facts.front_door in (None, FrontDoor.ASYNCHRONOUS)
    )


def _lacks_timeout(facts: Facts, home: Home) -> bool:
    return home.is_function and facts.timeout is None


def _unknown(facts: Facts, home: Home) -> Iterator[str]:
    if facts.front_door is None:
        yield "front_door"
    if _lacks_timeout(facts, home):
        yield "timeout"
    if home is Home.RESERVED_FUNCTION and facts.managed_instances is None:
        yield "managed_instances"


def _limit(name: str, thresholds: Thresholds) -> str:
    return f"{thresholds.values[name]} of {_SAID[name]}"


RULE = Rule(
    id="long-execution",
    title="A request that takes long is worked on in a container, where nothing cuts it off",
    rationale="A request that is cut off was paid for, failed, and is tried again.",
    remedy=(
        "place it on a pool or metal that is reached without API Gateway (`topology: dedicated`), let the"
        " gateway in the cluster wait longer (`catalog: limits.front_door.gateway`), split the work into"
        " requests within the limit, or correct `traffic.service_time`"
    ),
    remedy_elsewhere=(
        "answer at once and do the work behind a queue, put it behind a load balancer that waits as long,"
        " run it in a container, or split the work into requests within the limit"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _CONTAINER_OVER: Parameter(
                about="From this time on a container is advised.",
                kind=Duration,
                default=lambda catalog: catalog.guidance.execution.container_over,
            ),
            _HTTP_API: Parameter(
                about="How long an HTTP API waits for an answer.",
                kind=Duration,
                default=lambda catalog: catalog.limits.front_door.http_api,
            ),
            _REST_API: Parameter(
                about="How long a REST API waits for an answer; AWS raises it on request.",
                kind=Duration,
                default=lambda catalog: catalog.limits.front_door.rest_api,
            ),
            _REST_API_STREAMED: Parameter(
                about="How long a REST API waits for the end of an answer that is streamed.",
                kind=Duration,
                default=lambda catalog: catalog.limits.front_door.rest_api_streamed,
            ),
            _GATEWAY: Parameter(
                about="How long the gateway in the cluster waits for an answer.",
                kind=Duration,
                default=lambda catalog: catalog.limits.front_door.gateway,
            ),
            _FUNCTION: Parameter(
                about="How long a function may run.",
                kind=Duration,
                default=lambda catalog: catalog.limits.function.timeout,
            ),
            _MANAGED_INSTANCES: Parameter(
                about="How long a function on Lambda Managed Instances may run when called asynchronously.",
                kind=Duration,
                default=lambda catalog: catalog.limits.function.timeout_managed_instances,
            ),
            _CLOUD_RUN: Parameter(
                about="How long a Cloud Run service may take for an answer.",
                kind=Duration,
                default=lambda catalog: catalog.limits.cloud_run.timeout,
            ),
            _SAGEMAKER_SERVERLESS: Parameter(
                about="How long a SageMaker serverless endpoint may take for an answer.",
                kind=Duration,
                default=lambda catalog: catalog.limits.sagemaker_serverless.timeout,
            ),
        }
    ),
)
