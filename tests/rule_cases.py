"""The tables of the rules: facts in, answer out, with the numbers that the reason must carry."""

from dataclasses import replace

import platform_rule_cases
import workload_rule_cases
from rule_case import Case

from components.placement import NONE, UNRESERVED, Answer, Facts, Home, StateRead
from components.spec import Duration, Memory

GIB = Memory.of(1, "GiB")
A, B = "us-east-1a", "us-east-1b"


def _gpu(home: Home | None, **facts: object) -> Facts:
    base = Facts(home=home, accelerator_type="L4", accelerator_count=1, accelerator_memory=GIB * 20)
    return replace(base, **facts)


ACCELERATOR = [
    Case(
        "a GPU workload on an on-demand function",
        "accelerator-needs-metal",
        _gpu(Home.FUNCTION),
        Answer.REFUSED,
        ("1 L4 with 20GiB", "on-demand function has no accelerator"),
    ),
    Case(
        "two GPUs of unknown kind on an on-demand function",
        "accelerator-needs-metal",
        Facts(home=Home.FUNCTION, accelerator_count=2),
        Answer.REFUSED,
        ("2 accelerators",),
    ),
    Case(
        "a kind without a count still needs one",
        "accelerator-needs-metal",
        Facts(home=Home.FUNCTION, accelerator_type="L4"),
        Answer.REFUSED,
        ("1 L4",),
    ),
    Case("a GPU workload on a pool", "accelerator-needs-metal", _gpu(Home.POOL), Answer.FITS),
    Case("a GPU workload on metal", "accelerator-needs-metal", _gpu(Home.METAL), Answer.FITS),
    Case(
        "a GPU workload whose pods get onto nodes with GPUs",
        "accelerator-needs-metal",
        _gpu(Home.POOL, has_accelerators=True, tolerates=True),
        Answer.FITS,
    ),
    Case(
        "a GPU workload whose pods are held to no pool with GPUs",
        "accelerator-needs-metal",
        _gpu(Home.POOL, has_accelerators=False),
        Answer.REFUSED,
        ("1 L4 with 20GiB", "held to no pool that has accelerators"),
    ),
    Case(
        "a GPU workload whose pods are kept off nodes with GPUs",
        "accelerator-needs-metal",
        _gpu(Home.METAL, has_accelerators=True, tolerates=False, accelerator_count=2),
        Answer.REFUSED,
        ("2 L4 with 20GiB each", "do not tolerate"),
    ),
    Case(
        "no GPU, whatever its nodes have",
        "accelerator-needs-metal",
        Facts(home=Home.POOL, accelerator_count=0, has_accelerators=False, tolerates=False),
        Answer.FITS,
    ),
    Case(
        "a pod of which nobody knows whether it needs a GPU",
        "accelerator-needs-metal",
        Facts(home=Home.POOL, has_accelerators=False, tolerates=False),
        Answer.FITS,
        ("if it needs any",),
    ),
    Case(
        "no GPU on an on-demand function",
        "accelerator-needs-metal",
        Facts(home=Home.FUNCTION, accelerator_count=0),
        Answer.FITS,
    ),
    Case(
        "a GPU workload within what Managed Instances have",
        "accelerator-needs-metal",
        _gpu(Home.RESERVED_FUNCTION),
        Answer.FITS,
        ("20GiB", "48GiB"),
    ),
    Case(
        "a GPU workload beyond what Managed Instances have",
        "accelerator-needs-metal",
        _gpu(Home.RESERVED_FUNCTION, accelerator_count=4),
        Answer.REFUSED,
        ("4 L4 with 20GiB each", "48GiB"),
    ),
    Case(
        "a GPU workload on provisioned concurrency",
        "accelerator-needs-metal",
        _gpu(Home.RESERVED_FUNCTION, managed_instances=False),
        Answer.REFUSED,
        ("provisioned concurrency has no accelerator",),
    ),
    Case(
        "a stack with its own limit for Managed Instances",
        "accelerator-needs-metal",
        _gpu(Home.RESERVED_FUNCTION),
        Answer.REFUSED,
        ("16GiB (as configured)",),
        overrides={"managed_instances_accelerator_memory": GIB * 16},
    ),
    Case(
        "the largest accelerators there can be",
        "accelerator-needs-metal",
        _gpu(Home.RESERVED_FUNCTION, accelerator_count=16, accelerator_memory=Memory(Memory.maximum)),
        Answer.REFUSED,
    ),
    Case(
        "a GPU of unknown memory on a reserved function",
        "accelerator-needs-metal",
        _gpu(Home.RESERVED_FUNCTION, accelerator_memory=None),
        Answer.UNDECIDED,
        missing=("accelerator_memory",),
    ),
    Case(
        "nothing known of accelerators",
        "accelerator-needs-metal",
        Facts(home=Home.FUNCTION),
        Answer.UNDECIDED,
        missing=("accelerator_count",),
    ),
    Case("no home known", "accelerator-needs-metal", _gpu(None), Answer.UNDECIDED, missing=("home",)),
]

MEMORY = [
    Case(
        "12 GiB needed on an on-demand function",
        "memory-over-function-limit",
        Facts(home=Home.FUNCTION, memory=GIB * 12),
        Answer.REFUSED,
        ("needs 12,288 MB", "10,240 MB"),
    ),
    Case(
        "the need counts though the function is set to the most there is",
        "memory-over-function-limit",
        Facts(home=Home.FUNCTION, memory=GIB * 12, function_memory=GIB * 10),
        Answer.REFUSED,
        ("needs 12,288 MB",),
    ),
    Case(
        "a function set to more than there is, no need stated",
        "memory-over-function-limit",
        Facts(home=Home.FUNCTION, function_memory=GIB * 12),
        Answer.REFUSED,
        ("is given 12,288 MB",),
    ),
    Case(
        "exactly the limit",
        "memory-over-function-limit",
        Facts(home=Home.FUNCTION, memory=GIB * 10),
        Answer.FITS,
        ("10,240 MB",),
    ),
    Case(
        "one byte over the limit",
        "memory-over-function-limit",
        Facts(home=Home.FUNCTION, memory=GIB * 10 + Memory(1)),
        Answer.REFUSED,
    ),
    Case(
        "20 GiB on Managed Instances",
        "memory-over-function-limit",
        Facts(home=Home.RESERVED_FUNCTION, memory=GIB * 20),
        Answer.FITS,
        ("32,768 MB", "Managed Instances"),
    ),
    Case(
        "20 GiB on provisioned concurrency",
        "memory-over-function-limit",
        Facts(home=Home.RESERVED_FUNCTION, memory=GIB * 20, managed_instances=False),
        Answer.REFUSED,
        ("10,240 MB", "provisioned concurrency"),
    ),
    Case(
        "33 GiB on Managed Instances",
        "memory-over-function-limit",
        Facts(home=Home.RESERVED_FUNCTION, memory=GIB * 33, managed_instances=True),
        Answer.REFUSED,
        ("32,768 MB",),
    ),
    Case(
        "any size on a pool",
        "memory-over-function-limit",
        Facts(home=Home.POOL, memory=GIB * 900),
        Answer.FITS,
    ),
    Case(
        "a stack that allows less",
        "memory-over-function-limit",
        Facts(home=Home.FUNCTION, memory=GIB * 3),
        Answer.REFUSED,
        ("2,048 MB (as configured)",),
        overrides={"on_demand": GIB * 2},
    ),
    Case(
        "no memory known",
        "memory-over-function-limit",
        Facts(home=Home.FUNCTION),
        Answer.UNDECIDED,
        missing=("memory", "function_memory"),
    ),
    Case(
        "no home known",
        "memory-over-function-limit",
        Facts(memory=GIB),
        Answer.UNDECIDED,
        missing=("home",),
    ),
]


def _reader(home: Home | None = Home.POOL, **facts: object) -> Facts:
    base = Facts(
        home=home,
        zones=(A,),
        state=(StateRead("features", (A,)),),
        state_bytes=Memory.of(64, "KiB"),
        latency_p99=Duration.of(300, "ms"),
        service_time=Duration.of(25, "ms"),
    )
    return replace(base, **facts)


LOCALITY = [
    Case("a pool in the zone of its state", "state-locality", _reader(), Answer.FITS, (A, "features")),
    Case(
        "a pool in another zone than its state, and a budget that does not bear it",
        "state-locality",
        _reader(zones=(B,), latency_p99=Duration.of(27, "ms")),
        Answer.REFUSED,
        (B, "features is in us-east-1a", "1 x 2ms (assumed)", "25ms to compute", "27ms"),
    ),
    Case(
        "a pool in another zone than its state, and a budget that bears it",
        "state-locality",
        _reader(zones=(B,)),
        Answer.FITS,
        (B, "features is in us-east-1a", "1 x 2ms (assumed)", "300ms"),
    ),
    Case(
        "a pool that spreads beyond the zone of its state, with a tight budget",
        "state-locality",
        _reader(zones=(A, B), latency_p99=Duration.of(27, "ms")),
        Answer.REFUSED,
    ),
    Case(
        "a store that is in both zones of the pool",
        "state-locality",
        _reader(zones=(A, B), state=(StateRead("features", (A, B)),)),
        Answer.FITS,
    ),
    Case(
        "two stores that no zone shares, a minute to answer",
        "state-locality",
        _reader(
            state=(StateRead("features", (A,)), StateRead("sessions", (B,))),
            latency_p99=Duration.of(60, "s"),
        ),
        Answer.FITS,
        ("sessions is in us-east-1b", "1 x 2ms (assumed)", "1m"),
    ),
    Case(
        "two stores that no zone shares, of which one is here, and no time for the other",
        "state-locality",
        _reader(
            state=(StateRead("features", (A,)), StateRead("sessions", (B,))),
            latency_p99=Duration.of(27, "ms"),
        ),
        Answer.REFUSED,
        ("sessions is in us-east-1b", "1 x 2ms (assumed)"),
    ),
    Case(
        "a pool in another zone, bytes not known, and a round trip that is too long without them",
        "state-locality",
        _reader(zones=(B,), state_bytes=None, service_time=None, latency_p99=Duration.of(1, "ms")),
        Answer.REFUSED,
    ),
    Case(
        "a pool in another zone that reads an unknown amount",
        "state-locality",
        _reader(zones=(B,), state_bytes=None),
        Answer.UNDECIDED,
        missing=("state_bytes",),
    ),
    Case(
        "a pool in another zone, no latency budget known",
        "state-locality",
        _reader(zones=(B,), latency_p99=None),
        Answer.UNDECIDED,
        missing=("latency_p99",),
    ),
    Case(
        "a pool in zones nobody knows",
        "state-locality",
        _reader(zones=None),
        Answer.UNDECIDED,
        missing=("zones",),
    ),
    Case(
        "a function whose budget bears the crossing",
        "state-locality",
        _reader(Home.FUNCTION, zones=None),
        Answer.FITS,
        ("1 x 2ms (assumed)", "0.328ms for 64KiB", "25ms to compute", "300ms"),
    ),
    Case(
        "a function whose budget is eaten by the round trips",
        "state-locality",
        _reader(Home.FUNCTION, latency_p99=Duration.of(27, "ms")),
        Answer.REFUSED,
        ("27ms",),
    ),
    Case(
        "a function that reads 10 MB a request, the article's case",
        "state-locality",
        _reader(Home.FUNCTION, state_bytes=Memory.of(10, "MB"), latency_p99=Duration.of(50, "ms")),
        Answer.REFUSED,
        ("50ms for 10MB",),
    ),
    Case(
        "a function whose round trips alone are too long, whatever the bytes",
        "state-locality",
        _reader(Home.FUNCTION, state_bytes=None, service_time=None, latency_p99=Duration.of(1, "ms")),
        Answer.REFUSED,
    ),
    Case(
        "a function that reads an unknown amount",
        "state-locality",
        _reader(Home.FUNCTION, state_bytes=None),
        Answer.UNDECIDED,
        missing=("state_bytes",),
    ),
    Case(
        "a function without a latency budget",
        "state-locality",
        _reader(Home.RESERVED_FUNCTION, latency_p99=None),
        Answer.UNDECIDED,
        missing=("latency_p99",),
    ),
    Case("no shared state", "state-locality", _reader(Home.FUNCTION, state=()), Answer.FITS),
    Case(
        "nothing known of state",
        "state-locality",
        _reader(state=None),
        Answer.UNDECIDED,
        missing=("state",),
    ),
    Case(
        "a stack that measured its own round trip",
        "state-locality",
        _reader(Home.FUNCTION, latency_p99=Duration.of(26, "ms")),
        Answer.FITS,
        ("500us (as configured)",),
        overrides={"cross_zone_round_trip": Duration.of(500, "us")},
    ),
]

BOUNDED = Facts(
    home=Home.FUNCTION,
    reserved_concurrency=20,
    timeout=Duration.of(30, "s"),
    log_retention_days=14,
    alarm=True,
    budget=True,
)

RUNAWAY = [
    Case(
        "a function with every bound",
        "runaway-function",
        BOUNDED,
        Answer.FITS,
        ("reserved concurrency of 20", "timeout of 30s", "14 days"),
    ),
    Case(
        "no reserved concurrency",
        "runaway-function",
        replace(BOUNDED, reserved_concurrency=UNRESERVED),
        Answer.REFUSED,
        ("no reserved concurrency",),
    ),
    Case(
        "a function switched off by a concurrency of 0",
        "runaway-function",
        replace(BOUNDED, reserved_concurrency=0),
        Answer.FITS,
    ),
    Case(
        "no timeout",
        "runaway-function",
        replace(BOUNDED, timeout=Duration(0)),
        Answer.REFUSED,
        ("no timeout",),
    ),
    Case(
        "a timeout over the longest",
        "runaway-function",
        replace(BOUNDED, timeout=Duration.of(901, "s")),
        Answer.REFUSED,
        ("901s", "15m"),
    ),
    Case(
        "an hour on Managed Instances",
        "runaway-function",
        replace(BOUNDED, home=Home.RESERVED_FUNCTION, timeout=Duration.of(1, "h")),
        Answer.FITS,
    ),
    Case(
        "an hour on provisioned concurrency",
        "runaway-function",
        replace(BOUNDED, home=Home.RESERVED_FUNCTION, timeout=Duration.of(1, "h"), managed_instances=False),
        Answer.REFUSED,
    ),
    Case(
        "logs kept for ever",
        "runaway-function",
        replace(BOUNDED, log_retention_days=0),
        Answer.REFUSED,
        ("logs kept for ever",),
    ),
    Case("no alarm", "runaway-function", replace(BOUNDED, alarm=False), Answer.REFUSED, ("no alarm",)),
    Case("no budget", "runaway-function", replace(BOUNDED, budget=False), Answer.REFUSED, ("no budget",)),
    Case(
        "every bound that is missing is named",
        "runaway-function",
        replace(BOUNDED, reserved_concurrency=UNRESERVED, alarm=False, budget=False),
        Answer.REFUSED,
        ("no reserved concurrency, no alarm, no budget",),
    ),
    Case(
        "one bound missing refuses though another is not known",
        "runaway-function",
        replace(BOUNDED, alarm=False, budget=None),
        Answer.REFUSED,
    ),
    Case(
        "bounds nobody knows",
        "runaway-function",
        replace(BOUNDED, alarm=None, budget=None),
        Answer.UNDECIDED,
        missing=("alarm", "budget"),
    ),
    Case("a pool is no function", "runaway-function", Facts(home=Home.POOL), Answer.FITS),
    Case("no home known", "runaway-function", Facts(), Answer.UNDECIDED, missing=("home",)),
]

LOOSE = Facts(home=Home.POOL, zones=(A, B), efa=False, placement_group=NONE, capacity_block_zone=NONE)

CAPACITY = [
    Case("nothing that ties nodes to a zone", "zone-capacity", LOOSE, Answer.FITS),
    Case(
        "EFA over two zones",
        "zone-capacity",
        replace(LOOSE, efa=True),
        Answer.REFUSED,
        ("EFA", "us-east-1a, us-east-1b"),
    ),
    Case(
        "a cluster placement group over two zones",
        "zone-capacity",
        replace(LOOSE, placement_group="cluster"),
        Answer.REFUSED,
        ("cluster placement group",),
    ),
    Case(
        "a spread placement group over two zones",
        "zone-capacity",
        replace(LOOSE, placement_group="spread"),
        Answer.FITS,
    ),
    Case(
        "EFA and a placement group in one zone",
        "zone-capacity",
        replace(LOOSE, efa=True, placement_group="cluster", zones=(A,)),
        Answer.FITS,
        (A,),
    ),
    Case(
        "a capacity block of another zone",
        "zone-capacity",
        replace(LOOSE, capacity_block_zone=B, zones=(A,)),
        Answer.REFUSED,
        (A, B),
    ),
    Case(
        "a capacity block, and nodes asked for in a second zone too",
        "zone-capacity",
        replace(LOOSE, capacity_block_zone=A),
        Answer.REFUSED,
    ),
    Case(
        "a capacity block of this zone",
        "zone-capacity",
        replace(LOOSE, capacity_block_zone=A, zones=(A,), efa=True),
        Answer.FITS,
    ),
    Case(
        "EFA in no known zone",
        "zone-capacity",
        replace(LOOSE, efa=True, zones=None),
        Answer.UNDECIDED,
        missing=("zones",),
    ),
    Case(
        "two zones, placement group not known",
        "zone-capacity",
        replace(LOOSE, placement_group=None),
        Answer.UNDECIDED,
        missing=("placement_group",),
    ),
    Case(
        "one zone is right for EFA and for a placement group, known or not",
        "zone-capacity",
        replace(LOOSE, zones=(A,), efa=None, placement_group=None),
        Answer.FITS,
    ),
    Case("a function has no nodes", "zone-capacity", Facts(home=Home.FUNCTION), Answer.FITS),
]

CASES = (
    ACCELERATOR
    + MEMORY
    + LOCALITY
    + RUNAWAY
    + CAPACITY
    + workload_rule_cases.CASES
    + platform_rule_cases.CASES
)
