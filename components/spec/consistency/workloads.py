"""Checks on one workload: its home against topology, forms and pools; its GPUs, state and numbers."""

from collections.abc import Sequence
from typing import Final

from components.spec.consistency.saying import At, ItemCheck, Problems, named, names
from components.spec.data_plane import Accelerator, Pool
from components.spec.errors import Problem
from components.spec.stack import Stack
from components.spec.suggestions import choose
from components.spec.workload import (
    FUNCTION_HOMES,
    MAX_CONCURRENCY,
    QUEUED_PER_SLOT,
    REPLICAS,
    Workload,
)

_ON_NODES: Final = ("pool", "metal")

# What Lambda sets itself and lets no configuration set: AWS Lambda Developer Guide, "Defined runtime
# environment variables".
_LAMBDAS_OWN: Final = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
_KIND_OF_HOME: Final = {"pool": "managed", "metal": "metal"}

# What rounding to three digits may take from each of two numbers.
_ROUNDED: Final = 0.01


GATEWAY_NAMES: Final = ("gateway", "halfmetal-gateway")
"""What the gateway's objects are called, and its pods known by, in the namespace that workloads share."""


def _not_the_gateway(stack: Stack, workload: Workload, at: At) -> Problems:
    if stack.data_plane is not None and workload.name in GATEWAY_NAMES:
        yield at(
            "name",
            workload.name,
            "is what the gateway is called in the cluster",
            f"choose another, like {workload.name}-model",
        )


def _has_a_form(_: Stack, workload: Workload, at: At) -> Problems:
    if workload.serve.container is None and workload.serve.function is None:
        yield at(
            "serve",
            None,
            "has neither a container nor a function, so it can run nowhere",
            "add serve.container, serve.function or both",
        )


def _nothing_that_lambda_sets(_: Stack, workload: Workload, at: At) -> Problems:
    serve = workload.serve.function
    if serve is None:
        return
    for name, value in serve.env.items():
        if name in _LAMBDAS_OWN:
            yield at(
                f"serve.function.env.{name}",
                value,
                "is set by Lambda itself, which refuses a function that sets it",
                "remove it, or give it another name",
            )


def _form_of_home(_: Stack, workload: Workload, at: At) -> Problems:
    home, serve = workload.placement.home, workload.serve
    if home is None or (serve.container is None and serve.function is None):
        return
    if home in FUNCTION_HOMES and serve.function is None:
        yield at(
            "placement.home",
            home,
            "needs serve.function, which is missing",
            "add serve.function, or choose the home pool or metal",
        )
    if home in _ON_NODES and serve.container is None:
        yield at(
            "placement.home",
            home,
            "needs serve.container, which is missing",
            "add serve.container, or choose the home function or reserved-function",
        )


def _home_of_topology(stack: Stack, workload: Workload, at: At) -> Problems:
    home = workload.placement.home
    if home is None:
        return
    if stack.topology == "pure" and home in _ON_NODES:
        yield at(
            "placement.home",
            home,
            "does not exist in a pure stack, which has functions only",
            "choose function or reserved-function, or write `topology: hybrid`",
        )
    if stack.topology == "dedicated" and home in FUNCTION_HOMES:
        yield at(
            "placement.home",
            home,
            "is serverless, which the data route of a dedicated stack never touches",
            "choose metal or pool, or write `topology: hybrid`",
        )


def _form_of_topology(stack: Stack, workload: Workload, at: At) -> Problems:
    serve = workload.serve
    if workload.placement.home is not None or (serve.container is None and serve.function is None):
        return
    if stack.topology == "pure" and serve.function is None:
        yield at(
            "serve.function", None, "is missing, and a pure stack has functions only", "add serve.function"
        )
    if stack.topology == "dedicated" and serve.container is None:
        yield at(
            "serve.container", None, "is missing, and a dedicated stack has nodes only", "add serve.container"
        )


def _nothing_of_pods(_: Stack, workload: Workload, at: At) -> Problems:
    """What is said of pods does nothing for a function."""
    placement = workload.placement
    if placement.home is None or placement.home not in FUNCTION_HOMES:
        return
    if placement.pool is not None:
        yield at(
            "placement.pool",
            placement.pool,
            f"is for pods, and a {placement.home} runs in no pool",
            "remove it",
        )
    if placement.replicas is not None:
        yield at(
            "placement.replicas",
            placement.replicas,
            f"is for pods, and a {placement.home} has none",
            "remove it; serve.function.reserved_concurrency limits how many copies run",
        )
    if placement.max_concurrency is not None:
        yield at(
            "placement.max_concurrency",
            placement.max_concurrency,
            f"is for pods, and each copy of a {placement.home} takes one request at a time",
            "remove it",
        )
    if placement.twin is not None:
        yield at(
            "placement.twin",
            None,
            f"takes what pods cannot, and a {placement.home} has none",
            "remove it, or choose the home pool or metal",
        )


def _twin_has_both_forms(_: Stack, workload: Workload, at: At) -> Problems:
    placement, serve = workload.placement, workload.serve
    if placement.twin is None or placement.home in FUNCTION_HOMES:
        return
    if serve.function is None and serve.container is not None:
        yield at(
            "placement.twin",
            None,
            "needs serve.function, which is missing",
            "add serve.function, or remove it",
        )
    if serve.container is None and serve.function is not None and placement.home is None:
        yield at(
            "placement.twin",
            None,
            "needs serve.container, which is missing: without it everything goes to the function",
            "add serve.container, or remove it",
        )


def _twin_of_topology(stack: Stack, workload: Workload, at: At) -> Problems:
    placement = workload.placement
    if placement.twin is None or placement.home in FUNCTION_HOMES:
        return
    if stack.topology == "pure" and placement.home is None:
        yield at(
            "placement.twin",
            None,
            "takes what pods cannot, and a pure stack has none",
            "remove it, or write `topology: hybrid`",
        )
    if stack.topology == "dedicated":
        yield at(
            "placement.twin",
            None,
            "is serverless, which the data route of a dedicated stack never touches",
            "remove it, or write `topology: hybrid`",
        )


def _twin_within_reach(stack: Stack, workload: Workload, at: At) -> Problems:
    """The gateway calls it as any client would, by the public address of an API."""
    placement = workload.placement
    if placement.twin is None or placement.home in FUNCTION_HOMES or stack.data_plane is None:
        return
    if stack.data_plane.cluster.provider == "eks" and stack.network.nat == "none":
        yield at(
            "placement.twin",
            None,
            "is called over the internet, and with `nat: none` the gateway does not get there",
            "remove it, or write `nat: single` or per-zone in `network`",
        )


def _twin_before_refusal(_: Stack, workload: Workload, at: At) -> Problems:
    placement = workload.placement
    if placement.twin is None or placement.twin.queue is None or placement.home in FUNCTION_HOMES:
        return
    slots = (placement.replicas or REPLICAS) * (placement.max_concurrency or MAX_CONCURRENCY)
    most = slots * QUEUED_PER_SLOT
    if placement.twin.queue >= most:
        yield at(
            "placement.twin.queue",
            placement.twin.queue,
            f"is never passed: of so many replicas the gateway lets {most:,} requests wait, and turns the"
            " next away",
            f"write {most - 1:,} or less",
        )


def _pool_exists(stack: Stack, workload: Workload, at: At) -> Problems:
    name, home = workload.placement.pool, workload.placement.home
    if name is None or home in FUNCTION_HOMES or _no_pools_said_elsewhere(stack, home):
        return
    pools = _pools(stack)
    if named(pools, name) is None:
        yield at(
            "placement.pool",
            name,
            "is no pool of this stack",
            choose(
                name,
                [known for _, known in names(pools)],
                "remove it: a stack without data_plane has no pools",
            ),
        )


def _no_pools_said_elsewhere(stack: Stack, home: str | None) -> bool:
    """Whether that there are no pools is a problem of the topology, reported as such."""
    if stack.data_plane is not None:
        return False
    return stack.topology in {"hybrid", "dedicated"} or home in _ON_NODES


def _kind_of_pool(stack: Stack, workload: Workload, at: At) -> Problems:
    name, home = workload.placement.pool, workload.placement.home
    if home not in _ON_NODES:
        return
    pools = _pools(stack)
    wanted = _KIND_OF_HOME[home]
    if name is None:
        if pools and all(pool.kind != wanted for pool in pools):
            yield at(
                "placement.home",
                home,
                f"needs a pool of kind {wanted}, and the stack has none",
                f"add such a pool, or write `home: {_home_of_kind(pools[0])}`",
            )
        return
    pool = named(pools, name)
    if pool is not None and pool.kind != wanted:
        yield at(
            "placement.pool",
            name,
            f"is of kind {pool.kind}, and the home {home} is on {wanted} pools",
            f"write `home: {_home_of_kind(pool)}`, or choose a {wanted} pool",
        )


def _home_of_kind(pool: Pool) -> str:
    return "metal" if pool.kind == "metal" else "pool"


def _accelerator(stack: Stack, workload: Workload, at: At) -> Problems:
    wanted, home, name = workload.needs.accelerator, workload.placement.home, workload.placement.pool
    if wanted is None or home in FUNCTION_HOMES or stack.data_plane is None:
        return
    if name is not None:
        pool = named(stack.data_plane.pools, name)
        problem = _misfit(wanted, pool, at) if pool is not None else None
        if problem is not None:
            yield problem
    elif home in _ON_NODES:
        pools = [pool for pool in stack.data_plane.pools if pool.kind == _KIND_OF_HOME[home]]
        misfits = [_misfit(wanted, pool, at) for pool in pools]
        if pools and None not in misfits:
            yield at(
                "needs.accelerator",
                {"type": wanted.type, "count": wanted.count},
                f"is on no {_KIND_OF_HOME[home]} pool of this stack",
                f"add a pool with {wanted.count} {wanted.type} a node",
            )


def _misfit(wanted: Accelerator, pool: Pool, at: At) -> Problem | None:
    """Why one replica's accelerators are not on one node of the pool."""
    has = pool.accelerator
    if has is None:
        return at(
            "needs.accelerator",
            {"type": wanted.type, "count": wanted.count},
            f"is not in pool {pool.name}, which has none",
            "choose a pool with accelerators, or add `accelerator` to that pool",
        )
    if has.type != wanted.type:
        return at(
            "needs.accelerator.type",
            wanted.type,
            f"is not in pool {pool.name}, which has {has.type}",
            f"write {has.type}, or choose another pool",
        )
    if has.count < wanted.count:
        return at(
            "needs.accelerator.count",
            wanted.count,
            f"is more than a node of pool {pool.name} has, {has.count}",
            f"ask for {has.count} or fewer, or choose a pool of larger nodes",
        )
    if wanted.memory is not None and has.memory is not None and has.memory < wanted.memory:
        return at(
            "needs.accelerator.memory",
            str(wanted.memory),
            f"is more than one {has.type} of pool {pool.name} has, {has.memory}",
            f"ask for {has.memory} or less, spread over more of them, or choose another pool",
        )
    return None


def _reads(stack: Stack, workload: Workload, at: At) -> Problems:
    for index, name in enumerate(workload.state.reads):
        if named(stack.state, name) is None:
            known = [store for _, store in names(stack.state)]
            yield at(
                f"state.reads[{index}]",
                name,
                "is no store of this stack",
                choose(name, known, "add it to the stack's `state`"),
            )


def _bytes_of_something(_: Stack, workload: Workload, at: At) -> Problems:
    if workload.state.bytes is not None and not workload.state.reads:
        yield at(
            "state.bytes",
            str(workload.state.bytes),
            "is read from nowhere: reads is empty",
            "name the stores in state.reads, or remove bytes",
        )


def _peak_above_rate(_: Stack, workload: Workload, at: At) -> Problems:
    rate, peak = workload.traffic.rate, workload.traffic.peak
    if rate is not None and peak is not None and peak < rate:
        yield at("traffic.peak", str(peak), f"is below the average rate, {rate}", f"write {rate} or more")


def _peak_above_busiest_hour(_: Stack, workload: Workload, at: At) -> Problems:
    rate, peak, hourly = workload.traffic.rate, workload.traffic.peak, workload.traffic.hourly
    if rate is None or peak is None or hourly is None or peak < rate:
        return
    busiest = max(hourly)
    if peak < rate * (busiest * (1 - _ROUNDED)):
        yield at(
            "traffic.peak",
            str(peak),
            f"is below the rate of the busiest hour, {busiest:.3g} times the average rate {rate}",
            f"write {rate * busiest} or more, or correct hourly",
        )


def _answer_in_time(_: Stack, workload: Workload, at: At) -> Problems:
    takes, budget = workload.traffic.service_time, workload.latency.p99
    if takes is not None and budget is not None and takes >= budget:
        yield at(
            "latency.p99",
            str(budget),
            f"leaves nothing beside the work itself, traffic.service_time {takes}",
            f"allow more than {takes}, or correct service_time",
        )


def _jitter_within_answer(_: Stack, workload: Workload, at: At) -> Problems:
    jitter, budget = workload.latency.jitter, workload.latency.p99
    if jitter is not None and budget is not None and jitter > budget:
        yield at(
            "latency.jitter",
            str(jitter),
            f"is more than the whole answer may take, p99 {budget}",
            f"write less than {budget}",
        )


def _timeout_above_work(_: Stack, workload: Workload, at: At) -> Problems:
    takes, function = workload.traffic.service_time, workload.serve.function
    if takes is not None and function is not None and function.timeout <= takes:
        yield at(
            "serve.function.timeout",
            str(function.timeout),
            f"ends every request before its work is done, traffic.service_time {takes}",
            f"write more than {takes}",
        )


def _pools(stack: Stack) -> Sequence[Pool]:
    return stack.data_plane.pools if stack.data_plane is not None else ()


CHECKS: Final[tuple[ItemCheck[Workload], ...]] = (
    _not_the_gateway,
    _has_a_form,
    _nothing_that_lambda_sets,
    _form_of_home,
    _home_of_topology,
    _form_of_topology,
    _nothing_of_pods,
    _twin_has_both_forms,
    _twin_of_topology,
    _twin_within_reach,
    _twin_before_refusal,
    _pool_exists,
    _kind_of_pool,
    _accelerator,
    _reads,
    _bytes_of_something,
    _peak_above_rate,
    _peak_above_busiest_hour,
    _answer_in_time,
    _jitter_within_answer,
    _timeout_above_work,
)
