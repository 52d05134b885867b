"""Facts of every kind, for property tests."""

from typing import Any

from hypothesis import strategies as st

from components.placement import NONE, Facts, FrontDoor, Home, Platform, Role, StateRead, Tenancy
from components.spec import Duration, Memory, Share

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")

memories = st.integers(0, 10**15 - 1).map(Memory)  # as many digits as can be spelled in any unit
durations = st.integers(0, 10**15 - 1).map(Duration)
short_durations = st.integers(0, 10**10).map(Duration)
shares = st.integers(0, Share.maximum).map(Share)
zones = st.lists(st.sampled_from(ZONES), unique=True).map(tuple)
names = st.text(max_size=8) | st.just(NONE)
anything: dict[str, st.SearchStrategy[Any]] = {
    "workload": names,
    "role": st.sampled_from(Role),
    "pool": names,
    "home": st.sampled_from(Home),
    "platform": st.sampled_from(Platform),
    "zones": st.lists(names, max_size=4).map(tuple),
    "memory": memories,
    "function_memory": memories,
    "managed_instances": st.booleans(),
    "accelerator_type": names,
    "accelerator_count": st.integers(),
    "accelerator_memory": memories,
    "has_accelerators": st.booleans(),
    "tolerates": st.booleans(),
    "utilization": shares,
    "break_even": shares,
    "latency_p99": durations,
    "service_time": durations,
    "front_door": st.sampled_from(FrontDoor),
    "cold_start_tolerance": durations,
    "package": memories,
    "jitter": durations,
    "pinned": st.booleans(),
    "twin": st.booleans(),
    "warm_replicas": st.integers(),
    "state": st.lists(st.builds(StateRead, names, st.lists(names, max_size=3).map(tuple)), max_size=4).map(
        tuple
    ),
    "state_bytes": memories,
    "local_cache": st.booleans(),
    "compliance": st.lists(names, max_size=3).map(tuple),
    "tenancy": st.sampled_from(Tenancy),
    "audit_logs": st.booleans(),
    "own_keys": st.booleans(),
    "isolated_namespace": st.booleans(),
    "managed_cluster": st.booleans(),
    "operations_team": st.booleans(),
    "ties": st.lists(names, max_size=3).map(tuple),
    "reserved_concurrency": st.integers(),
    "timeout": durations,
    "log_retention_days": st.integers(),
    "alarm": st.booleans(),
    "budget": st.booleans(),
    "efa": st.booleans(),
    "placement_group": names | st.just(NONE),
    "capacity_block_zone": names | st.just(NONE),
}
any_facts = st.builds(Facts, **{name: st.none() | strategy for name, strategy in anything.items()})
sensible_facts = st.builds(
    Facts,
    **{
        **{name: st.none() | strategy for name, strategy in anything.items()},
        "home": st.sampled_from(Home),
        "zones": st.none() | zones,
        "state": st.none()
        | st.lists(st.builds(StateRead, st.sampled_from(("features", "cache")), zones), max_size=3).map(
            tuple
        ),
        "latency_p99": st.none() | short_durations,
        "service_time": st.none() | short_durations,
        "state_bytes": st.none() | st.integers(0, 10**8).map(Memory),
        "accelerator_count": st.none() | st.integers(0, 16),
    },
)
