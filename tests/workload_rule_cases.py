"""The tables of the rules on how a workload is used, what it promises and what it depends on."""

from dataclasses import replace

from rule_case import Case

from components.placement import UNBOUNDED, Answer, Facts, FrontDoor, Home, Role, Tenancy
from components.spec import Duration, Memory, Share

FUNCTION, RESERVED = Facts(home=Home.FUNCTION), Facts(home=Home.RESERVED_FUNCTION, managed_instances=False)
POOL, METAL = Facts(home=Home.POOL), Facts(home=Home.METAL)
MANAGED = replace(RESERVED, managed_instances=True)


def _busy(facts: Facts, share: str, **more: object) -> Facts:
    return replace(facts, utilization=Share.parse(share), **more)


def _time(text: str) -> Duration:
    return Duration.parse(text)


_UTILIZATION = "sustained-utilization"
UTILIZATION = [
    Case("3 % on a function", _UTILIZATION, _busy(FUNCTION, "3%"), Answer.FITS, ("3%", "10%")),
    Case("15 % on a function, between", _UTILIZATION, _busy(FUNCTION, "15%"), Answer.FITS, ("15%",)),
    Case(
        "35 % on a function is advised against",
        _UTILIZATION,
        _busy(FUNCTION, "35%"),
        Answer.REFUSED,
        ("35%", "20%", "60%"),
        soft=True,
    ),
    Case("exactly 60 % is still advice", _UTILIZATION, _busy(FUNCTION, "60%"), Answer.REFUSED, soft=True),
    Case(
        "75 % before a function twin, which is busy with the tail alone",
        _UTILIZATION,
        replace(_busy(FUNCTION, "75%"), twin=True),
        Answer.FITS,
        ("warm replicas cannot take",),
    ),
    Case("75 % on a function", _UTILIZATION, _busy(FUNCTION, "75%"), Answer.REFUSED, ("75%", "60%")),
    Case(
        "75 % on provisioned concurrency",
        _UTILIZATION,
        _busy(RESERVED, "75%"),
        Answer.REFUSED,
        ("a reserved function",),
    ),
    Case("75 % on Managed Instances", _UTILIZATION, _busy(MANAGED, "75%"), Answer.FITS, ("as instances",)),
    Case("75 % on a pool", _UTILIZATION, _busy(POOL, "75%"), Answer.FITS, ("75%",)),
    Case("3 % on a pool fits, and is idle", _UTILIZATION, _busy(POOL, "3%"), Answer.FITS, ("3%", "idle")),
    Case("metal, however busy", _UTILIZATION, METAL, Answer.FITS),
    Case(
        "a break-even that was computed, not reached",
        _UTILIZATION,
        _busy(FUNCTION, "35%", break_even=Share.parse("39%")),
        Answer.FITS,
        ("35%", "39% (computed)"),
    ),
    Case(
        "a break-even that was computed, passed a little",
        _UTILIZATION,
        _busy(FUNCTION, "15%", break_even=Share.parse("12%")),
        Answer.REFUSED,
        ("15%", "12% (computed)"),
        soft=True,
    ),
    Case(
        "a break-even that was computed, passed by far",
        _UTILIZATION,
        _busy(FUNCTION, "75%", break_even=Share.parse("49%")),
        Answer.REFUSED,
        ("75%", "49% (computed)"),
    ),
    Case(
        "a break-even above the band moves the refusal",
        _UTILIZATION,
        _busy(FUNCTION, "75%", break_even=Share.parse("80%")),
        Answer.FITS,
        ("80%",),
    ),
    Case(
        "a stack with a band of its own",
        _UTILIZATION,
        _busy(FUNCTION, "35%"),
        Answer.REFUSED,
        ("30% (as configured)",),
        overrides={"nodes_above": Share.parse("30%")},
    ),
    Case("a control function", _UTILIZATION, replace(FUNCTION, role=Role.CONTROL), Answer.FITS),
    Case(
        "a function that says nothing of its traffic",
        _UTILIZATION,
        FUNCTION,
        Answer.UNDECIDED,
        missing=("utilization",),
    ),
    Case(
        "a reserved function of unknown kind",
        _UTILIZATION,
        _busy(Facts(home=Home.RESERVED_FUNCTION), "75%"),
        Answer.UNDECIDED,
        missing=("managed_instances",),
    ),
]

_LONG = "long-execution"
HTTP = FrontDoor.HTTP_API
BOUNDED, LONGEST = replace(FUNCTION, timeout=_time("15m")), replace(MANAGED, timeout=_time("90m"))
LONG = [
    Case(
        "25 ms behind an HTTP API",
        _LONG,
        replace(BOUNDED, service_time=_time("25ms"), front_door=HTTP),
        Answer.FITS,
        ("25ms", "30s"),
    ),
    Case(
        "31 s behind an HTTP API",
        _LONG,
        replace(BOUNDED, service_time=_time("31s"), front_door=HTTP),
        Answer.REFUSED,
        ("31s", "an HTTP API", "30s"),
    ),
    Case(
        "31 s in a pod behind an HTTP API is cut off no less",
        _LONG,
        replace(POOL, service_time=_time("31s"), front_door=HTTP),
        Answer.REFUSED,
        ("over the 30s of an HTTP API",),
    ),
    Case(
        "31 s in a pod reached at the gateway",
        _LONG,
        replace(METAL, service_time=_time("31s"), front_door=FrontDoor.GATEWAY),
        Answer.FITS,
        ("31s", "within the 5m of the gateway in the cluster"),
    ),
    Case(
        "five minutes and a second in a pod reached at the gateway",
        _LONG,
        replace(METAL, service_time=_time("301s"), front_door=FrontDoor.GATEWAY),
        Answer.REFUSED,
        ("301s", "over the 5m of the gateway in the cluster"),
    ),
    Case(
        "29.5 s behind a REST API",
        _LONG,
        replace(BOUNDED, service_time=_time("29.5s"), front_door=FrontDoor.REST_API),
        Answer.REFUSED,
        ("a REST API", "29s"),
    ),
    Case(
        "29.5 s behind a REST API whose limit was raised",
        _LONG,
        replace(BOUNDED, service_time=_time("29.5s"), front_door=FrontDoor.REST_API),
        Answer.FITS,
        ("1m (as configured)",),
        overrides={"rest_api": _time("60s")},
    ),
    Case(
        "two minutes streamed from a function are better spent in a container",
        _LONG,
        replace(BOUNDED, service_time=_time("2m"), front_door=FrontDoor.REST_API_STREAMED),
        Answer.REFUSED,
        ("2m", "over 30s a container"),
        soft=True,
    ),
    Case(
        "two minutes streamed from a pod",
        _LONG,
        replace(POOL, service_time=_time("2m"), front_door=FrontDoor.REST_API_STREAMED),
        Answer.FITS,
    ),
    Case(
        "twenty minutes streamed",
        _LONG,
        replace(POOL, service_time=_time("20m"), front_door=FrontDoor.REST_API_STREAMED),
        Answer.REFUSED,
        ("15m",),
    ),
    Case(
        "ten minutes that nobody waits for",
        _LONG,
        replace(BOUNDED, service_time=_time("10m"), front_door=FrontDoor.ASYNCHRONOUS),
        Answer.REFUSED,
        soft=True,
    ),
    Case(
        "twenty minutes that nobody waits for",
        _LONG,
        replace(BOUNDED, service_time=_time("20m"), front_door=FrontDoor.ASYNCHRONOUS),
        Answer.REFUSED,
        ("20m", "over the 15m of a function"),
    ),
    Case(
        "an hour on Managed Instances that nobody waits for",
        _LONG,
        replace(LONGEST, service_time=_time("1h"), front_door=FrontDoor.ASYNCHRONOUS),
        Answer.REFUSED,
        soft=True,
    ),
    Case(
        "two hours on Managed Instances",
        _LONG,
        replace(LONGEST, service_time=_time("2h"), front_door=FrontDoor.ASYNCHRONOUS),
        Answer.REFUSED,
        ("over the 90m of Lambda Managed Instances",),
    ),
    Case(
        "a control function with a timeout within the limit",
        _LONG,
        replace(BOUNDED, role=Role.CONTROL, timeout=_time("10s"), front_door=HTTP),
        Answer.FITS,
        ("may take 10s",),
    ),
    Case(
        "a control function with a timeout beyond the limit",
        _LONG,
        replace(BOUNDED, role=Role.CONTROL, timeout=_time("45s"), front_door=HTTP),
        Answer.REFUSED,
        ("may take 45s",),
    ),
    Case("a pool serves what runs on it", _LONG, replace(POOL, role=Role.NODES), Answer.FITS),
    Case("1 s, whatever is in front", _LONG, replace(BOUNDED, service_time=_time("1s")), Answer.FITS),
    Case(
        "a minute, and nobody knows what is in front",
        _LONG,
        replace(POOL, service_time=_time("1m")),
        Answer.UNDECIDED,
        missing=("front_door",),
    ),
    Case(
        "twenty minutes on a function are too long, whatever is in front",
        _LONG,
        replace(BOUNDED, service_time=_time("20m")),
        Answer.REFUSED,
    ),
    Case(
        "twenty minutes on a reserved function of unknown kind",
        _LONG,
        Facts(
            home=Home.RESERVED_FUNCTION,
            timeout=_time("90m"),
            service_time=_time("20m"),
            front_door=FrontDoor.ASYNCHRONOUS,
        ),
        Answer.UNDECIDED,
        missing=("managed_instances",),
    ),
    Case(
        "2 s in a function that is ended after one",
        _LONG,
        replace(FUNCTION, service_time=_time("2s"), front_door=HTTP, timeout=_time("1s")),
        Answer.REFUSED,
        ("takes 2s", "over the 1s of its own timeout"),
    ),
    Case(
        "a timeout that is not known yet",
        _LONG,
        replace(FUNCTION, service_time=_time("2s"), front_door=HTTP),
        Answer.UNDECIDED,
        missing=("timeout",),
    ),
    Case(
        "no work known",
        _LONG,
        replace(BOUNDED, front_door=HTTP, timeout=_time("30s")),
        Answer.UNDECIDED,
        missing=("service_time",),
    ),
]

_COLD = "cold-start-budget"
MIB = Memory.of(1, "MiB")
COLD = [
    Case("any wait will do", _COLD, replace(FUNCTION, cold_start_tolerance=UNBOUNDED), Answer.FITS),
    Case(
        "5 s are enough for any package",
        _COLD,
        replace(FUNCTION, cold_start_tolerance=_time("5s")),
        Answer.FITS,
        ("5s", "3s (assumed)"),
    ),
    Case(
        "500 ms are enough for none",
        _COLD,
        replace(FUNCTION, cold_start_tolerance=_time("500ms")),
        Answer.REFUSED,
        ("500ms", "1s"),
    ),
    Case("none at all", _COLD, replace(FUNCTION, cold_start_tolerance=Duration(0)), Answer.REFUSED),
    Case(
        "2 s for a small package",
        _COLD,
        replace(FUNCTION, cold_start_tolerance=_time("2s"), package=MIB * 20),
        Answer.FITS,
        ("20MiB", "1s"),
    ),
    Case(
        "2 s for a large package",
        _COLD,
        replace(FUNCTION, cold_start_tolerance=_time("2s"), package=MIB * 200),
        Answer.REFUSED,
        ("200MiB", "3s (assumed)"),
    ),
    Case(
        "2 s for a package of unknown size",
        _COLD,
        replace(FUNCTION, cold_start_tolerance=_time("2s")),
        Answer.UNDECIDED,
        missing=("package",),
    ),
    Case(
        "a stack that measured its own",
        _COLD,
        replace(FUNCTION, cold_start_tolerance=_time("500ms"), package=MIB),
        Answer.FITS,
        ("300ms (as configured)",),
        overrides={"p95": _time("300ms")},
    ),
    Case(
        "a reserved function is warm", _COLD, replace(RESERVED, cold_start_tolerance=Duration(0)), Answer.FITS
    ),
    Case(
        "a pool is warm",
        _COLD,
        replace(POOL, cold_start_tolerance=Duration(0), warm_replicas=1),
        Answer.FITS,
    ),
    Case("metal is warm", _COLD, replace(METAL, warm_replicas=2), Answer.FITS),
    Case(
        "pods that scale to none",
        _COLD,
        replace(POOL, cold_start_tolerance=_time("1s"), warm_replicas=0),
        Answer.REFUSED,
        ("1s", "2s (assumed)"),
    ),
    Case(
        "pods that scale to none, for callers with patience",
        _COLD,
        replace(POOL, cold_start_tolerance=_time("10s"), warm_replicas=0),
        Answer.FITS,
        ("6s (assumed)",),
    ),
    Case(
        "pods of which nobody knows how many are warm",
        _COLD,
        replace(POOL, cold_start_tolerance=_time("1s")),
        Answer.UNDECIDED,
        missing=("warm_replicas",),
    ),
    Case(
        "nodes, whatever runs on them",
        _COLD,
        replace(POOL, role=Role.NODES, cold_start_tolerance=_time("1s")),
        Answer.FITS,
    ),
    Case("no tolerance known", _COLD, FUNCTION, Answer.UNDECIDED, missing=("cold_start_tolerance",)),
    Case(
        "no home known",
        _COLD,
        Facts(cold_start_tolerance=Duration(0)),
        Answer.UNDECIDED,
        missing=("home",),
    ),
]

_JITTER = "jitter-budget"
EVEN = _time("20us")
JITTER = [
    Case("answers may vary at will", _JITTER, Facts(jitter=UNBOUNDED), Answer.FITS),
    Case(
        "50 us are no less than 50 us", _JITTER, replace(POOL, jitter=_time("50us")), Answer.FITS, ("50us",)
    ),
    Case("20 us on a function", _JITTER, replace(FUNCTION, jitter=EVEN), Answer.REFUSED, ("20us", "50us")),
    Case(
        "20 us on a pool",
        _JITTER,
        replace(POOL, jitter=EVEN, pinned=True),
        Answer.REFUSED,
        ("a shared pool",),
    ),
    Case(
        "20 us on metal with cores shared", _JITTER, replace(METAL, jitter=EVEN, pinned=False), Answer.REFUSED
    ),
    Case(
        "20 us on metal with cores of its own", _JITTER, replace(METAL, jitter=EVEN, pinned=True), Answer.FITS
    ),
    Case(
        "a stack that is less strict",
        _JITTER,
        replace(POOL, jitter=EVEN),
        Answer.FITS,
        ("10us (as configured)",),
        overrides={"metal_below": _time("10us")},
    ),
    Case("20 us on metal", _JITTER, replace(METAL, jitter=EVEN), Answer.UNDECIDED, missing=("pinned",)),
    Case("20 us somewhere", _JITTER, Facts(jitter=EVEN), Answer.UNDECIDED, missing=("home",)),
    Case("no budget known", _JITTER, METAL, Answer.UNDECIDED, missing=("jitter",)),
]

_LOCAL = "local-state"
LOCAL = [
    Case("no cache of its own", _LOCAL, replace(FUNCTION, local_cache=False), Answer.FITS),
    Case(
        "a cache on a function", _LOCAL, replace(FUNCTION, local_cache=True), Answer.REFUSED, ("on-demand",)
    ),
    Case("a cache on a reserved function", _LOCAL, replace(RESERVED, local_cache=True), Answer.REFUSED),
    Case("a cache on a pool", _LOCAL, replace(POOL, local_cache=True), Answer.FITS),
    Case("a pool, whatever it caches", _LOCAL, POOL, Answer.FITS),
    Case("nothing known of a cache", _LOCAL, FUNCTION, Answer.UNDECIDED, missing=("local_cache",)),
    Case("a cache somewhere", _LOCAL, Facts(local_cache=True), Answer.UNDECIDED, missing=("home",)),
]

_COMPLIANCE = "compliance-isolation"
ISOLATED = Facts(
    home=Home.METAL,
    compliance=("pci-dss", "soc2-type-2"),
    tenancy=Tenancy.DEDICATED,
    audit_logs=True,
    own_keys=True,
)
COMPLIANCE = [
    Case("under no regime", _COMPLIANCE, replace(FUNCTION, compliance=()), Answer.FITS),
    Case("all three", _COMPLIANCE, ISOLATED, Answer.FITS, ("PCI DSS and SOC 2 Type II", "dedicated")),
    Case(
        "bare metal", _COMPLIANCE, replace(ISOLATED, tenancy=Tenancy.BARE_METAL), Answer.FITS, ("bare-metal",)
    ),
    Case(
        "on a function", _COMPLIANCE, replace(FUNCTION, compliance=("pci-dss",)), Answer.REFUSED, ("PCI DSS",)
    ),
    Case(
        "on shared machines",
        _COMPLIANCE,
        replace(ISOLATED, home=Home.POOL, tenancy=Tenancy.SHARED),
        Answer.REFUSED,
        ("shared with other accounts",),
    ),
    Case(
        "without audit logs and own keys",
        _COMPLIANCE,
        replace(ISOLATED, audit_logs=False, own_keys=False),
        Answer.REFUSED,
        ("no audit logs", "a key of its own"),
    ),
    Case(
        "one that is missing is enough",
        _COMPLIANCE,
        replace(ISOLATED, tenancy=None, own_keys=False),
        Answer.REFUSED,
    ),
    Case(
        "keys and audit logs not known",
        _COMPLIANCE,
        replace(ISOLATED, audit_logs=None, own_keys=None),
        Answer.UNDECIDED,
        missing=("audit_logs", "own_keys"),
    ),
    Case(
        "in a namespace that enforces a Pod Security level",
        _COMPLIANCE,
        replace(ISOLATED, isolated_namespace=True),
        Answer.FITS,
    ),
    Case(
        "in a namespace that enforces none",
        _COMPLIANCE,
        replace(ISOLATED, isolated_namespace=False),
        Answer.REFUSED,
        ("Pod Security",),
    ),
    Case(
        "in a namespace that enforces none, on shared machines",
        _COMPLIANCE,
        replace(ISOLATED, isolated_namespace=False, tenancy=Tenancy.SHARED),
        Answer.REFUSED,
        ("shared with other accounts", "Pod Security"),
    ),
    Case(
        "a namespace that enforces none, for what falls under no regime",
        _COMPLIANCE,
        replace(METAL, compliance=(), isolated_namespace=False),
        Answer.FITS,
    ),
    Case(
        "a namespace that enforces none, for what falls under a regime, wherever that runs",
        _COMPLIANCE,
        Facts(compliance=("pci-dss",), isolated_namespace=False),
        Answer.REFUSED,
    ),
    Case("no home known", _COMPLIANCE, replace(ISOLATED, home=None), Answer.UNDECIDED, missing=("home",)),
    Case("no regime known", _COMPLIANCE, METAL, Answer.UNDECIDED, missing=("compliance",)),
]

_CLUSTER = "unattended-cluster"
CLUSTER = [
    Case("a function has no cluster", _CLUSTER, FUNCTION, Answer.FITS),
    Case("a provider runs it", _CLUSTER, replace(POOL, managed_cluster=True), Answer.FITS),
    Case(
        "a team runs it", _CLUSTER, replace(METAL, managed_cluster=False, operations_team=True), Answer.FITS
    ),
    Case(
        "nobody runs it",
        _CLUSTER,
        replace(METAL, managed_cluster=False, operations_team=False),
        Answer.REFUSED,
        ("nobody runs its cluster",),
    ),
    Case(
        "its own cluster, and nobody knows of a team",
        _CLUSTER,
        replace(METAL, managed_cluster=False),
        Answer.UNDECIDED,
        missing=("operations_team",),
    ),
    Case(
        "no team, and nobody knows who runs the cluster",
        _CLUSTER,
        replace(METAL, operations_team=False),
        Answer.UNDECIDED,
        missing=("managed_cluster",),
    ),
]

_TIES = "vendor-lock-in"
TIES = [
    Case("no ties", _TIES, Facts(ties=()), Answer.FITS),
    Case(
        "an event bus and a workflow engine",
        _TIES,
        Facts(ties=("eventbridge", "step-functions")),
        Answer.REFUSED,
        ("what only one vendor has: ", "Amazon EventBridge, AWS Step Functions"),
    ),
    Case("a tie that has no name here", _TIES, Facts(ties=("mq",)), Answer.REFUSED, ("mq",)),
    Case("nothing known of ties", _TIES, POOL, Answer.UNDECIDED, missing=("ties",)),
]

_TAIL = "warm-before-tail"
TAIL = [
    Case("no twin", _TAIL, replace(POOL, twin=False, warm_replicas=0), Answer.FITS),
    Case(
        "a twin behind two warm replicas",
        _TAIL,
        replace(POOL, twin=True, warm_replicas=2),
        Answer.FITS,
        ("2", "its function twin takes only the tail"),
    ),
    Case(
        "two warm replicas, and nobody knows of a twin",
        _TAIL,
        replace(POOL, warm_replicas=2),
        Answer.FITS,
        ("2", "a function twin would take"),
    ),
    Case(
        "a twin with nothing warm before it",
        _TAIL,
        replace(POOL, twin=True, warm_replicas=0),
        Answer.REFUSED,
        ("its only home", "0 warm replicas"),
    ),
    Case(
        "a twin, and nobody knows what is warm",
        _TAIL,
        replace(FUNCTION, twin=True),
        Answer.UNDECIDED,
        missing=("warm_replicas",),
    ),
    Case(
        "nothing warm, and nobody knows of a twin",
        _TAIL,
        Facts(warm_replicas=0),
        Answer.UNDECIDED,
        missing=("twin",),
    ),
]

CASES = UTILIZATION + LONG + COLD + JITTER + LOCAL + COMPLIANCE + CLUSTER + TIES + TAIL
