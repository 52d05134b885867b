"""What the API server says of a manifest is what the rule says of its facts."""

from dataclasses import replace

import pytest
from api_server import Answer as Said
from api_server import ApiServer, until
from carrying import BROKEN, alone, deployment, governing, namespace, seen
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_case import Case
from rule_cases import CASES

from components import catalog
from components.admission.policies import policies
from components.placement import (
    RULES,
    Answer,
    Enforcement,
    Facts,
    FrontDoor,
    Home,
    Override,
    Role,
    StateRead,
    Tenancy,
    Verdict,
    settle,
)
from components.spec import Duration, Memory

pytestmark = pytest.mark.engine

ON_NODES = [
    case
    for case in CASES
    if case.rule in policies() and not (case.facts.home is not None and case.facts.home.is_function)
]


class Ask:
    """Asks the API server and the rule about facts, in a namespace that is kept to this rule alone."""

    def __init__(self, api: ApiServer) -> None:
        self.api = api
        self._ready: dict[tuple[object, ...], str] = {}

    def __call__(
        self, rule: str, facts: Facts, overrides: dict[str, str] | None = None
    ) -> tuple[Said, Verdict]:
        hard = {rule: Override(Enforcement.MANDATORY, overrides or {})}
        manifest = deployment(
            facts, self.where(rule, overrides, isolated=facts.isolated_namespace is not False)
        )
        verdict = settle(catalog.load(), hard).by_id[rule].judge(seen(manifest, facts))
        return self.api.apply(manifest), verdict

    def where(self, rule: str, overrides: dict[str, str] | None = None, *, isolated: bool = True) -> str:
        """The namespace, made when it is first asked for."""
        changes = overrides or {}
        key = (rule, tuple(changes.items()), isolated)
        if key not in self._ready:
            name = f"case-{len(self._ready)}"
            hard = {rule: Override(Enforcement.MANDATORY, changes)}
            self.api.keep(namespace(name, "baseline" if isolated else None))
            self.api.keep(*governing(name, alone(settle(catalog.load(), hard)), rule))
            bad = deployment(BROKEN[rule], name)
            until(lambda: not self.api.apply(bad).admitted, f"{rule} is in effect in {name}")
            self._ready[key] = name
        return self._ready[key]


@pytest.fixture(scope="module")
def ask(api: ApiServer) -> Ask:
    return Ask(api)


def agrees(rule: str, said: Said, verdict: Verdict) -> None:
    """Whether the API server said what the rule says, in the rule's words."""
    refused = verdict.answer is Answer.REFUSED
    assert said.admitted == (not refused or verdict.soft), (said.message, verdict)
    text = said.message or said.warned_of(rule)
    assert (f"{rule}: " in text) == refused, (text, verdict)
    if refused:
        assert verdict.reason in text
        assert RULES[rule].remedy in text


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.rule}: {case.says}") for case in ON_NODES])
def test_a_case_is_answered_as_by_the_rule(case: Case, ask: Ask):
    overrides = {name: str(amount) for name, amount in case.overrides.items()}
    said, verdict = ask(case.rule, case.facts, overrides)
    agrees(case.rule, said, verdict)
    if case.answer is Answer.REFUSED:
        assert verdict.answer is case.answer


SOME = {
    "workload": "w",
    "role": Role.WORKLOAD,
    "home": Home.METAL,
    "zones": (),
    "accelerator_type": "L4",
    "accelerator_count": 1,
    "accelerator_memory": Memory(1),
    "latency_p99": Duration(1),
    "service_time": Duration(1),
    "front_door": FrontDoor.HTTP_API,
    "cold_start_tolerance": Duration(1),
    "package": Memory(1),
    "jitter": Duration(1),
    "pinned": True,
    "twin": True,
    "timeout": Duration(1),
    "state": (),
    "state_bytes": Memory(1),
    "compliance": (),
    "tenancy": Tenancy.SHARED,
    "audit_logs": True,
    "own_keys": True,
    "managed_cluster": True,
    "operations_team": True,
    "ties": (),
    "placement_group": "none",
    "capacity_block_zone": "none",
}
"""Facts that a policy may read from annotations."""

plain = st.sampled_from(["features", "cache", "sqs", "pci-dss", "soc2-type-2", "mq"])
zone_names = st.sampled_from(["us-east-1a", "us-east-1b", "us-east-1c"])
some_zones = st.lists(zone_names, unique=True, max_size=3).map(tuple)
times = st.integers(0, 10**12).map(Duration) | st.integers(0, Duration.maximum).map(Duration)
facts_on_nodes = st.builds(
    Facts,
    home=st.sampled_from([Home.POOL, Home.METAL]),
    zones=st.none() | some_zones,
    accelerator_type=st.none() | st.sampled_from(["L4", "H100"]),
    accelerator_count=st.none() | st.integers(0, 16),
    accelerator_memory=st.none() | st.integers(0, 10**12).map(Memory),
    has_accelerators=st.none() | st.booleans(),
    tolerates=st.none() | st.booleans(),
    latency_p99=st.none() | times,
    service_time=st.none() | times,
    front_door=st.none() | st.sampled_from(FrontDoor),
    timeout=st.none() | times,
    cold_start_tolerance=st.none() | times,
    package=st.none() | st.integers(0, 10**9).map(Memory),
    jitter=st.none() | times | st.integers(0, 10**5).map(Duration),
    pinned=st.none() | st.booleans(),
    twin=st.none() | st.booleans(),
    warm_replicas=st.none() | st.integers(0, 3),
    state=st.none() | st.lists(st.builds(StateRead, plain, some_zones), max_size=3).map(tuple),
    state_bytes=st.none() | st.integers(0, Memory.maximum).map(Memory) | st.integers(0, 10**8).map(Memory),
    compliance=st.none() | st.lists(plain, unique=True, max_size=2).map(tuple),
    tenancy=st.none() | st.sampled_from(Tenancy),
    audit_logs=st.none() | st.booleans(),
    own_keys=st.none() | st.booleans(),
    isolated_namespace=st.none() | st.booleans(),
    managed_cluster=st.none() | st.booleans(),
    operations_team=st.none() | st.booleans(),
    ties=st.none() | st.lists(plain, unique=True, max_size=3).map(tuple),
    efa=st.none() | st.booleans(),
    placement_group=st.none() | st.sampled_from(["none", "cluster", "spread"]),
    capacity_block_zone=st.none() | st.just("none") | zone_names,
)


@settings(max_examples=15)
@given(facts_on_nodes)
def test_whatever_a_deployment_carries_is_answered_as_by_the_rules(ask: Ask, facts: Facts):
    for rule in policies():
        said, verdict = ask(rule, facts)
        agrees(rule, said, verdict)


texts = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Z"]), max_size=300)
odd = st.sampled_from(["none", "", "=", "1.5GiB", "0.5ms", "1e9s", "9" * 18 + "d", "1PiB", "a@b@c", "/", "+"])


@settings(max_examples=30)
@given(
    st.dictionaries(st.sampled_from(sorted(Facts(**SOME).to_annotations())), texts | odd, max_size=8),
    st.sampled_from(sorted(policies())),
)
def test_whatever_annotations_say_a_policy_comes_to_an_answer(
    ask: Ask, annotations: dict[str, str], rule: str
):
    """A policy that fails refuses, and says so in words that nobody can mend anything by."""
    manifest = deployment(Facts(), ask.where(rule))
    manifest["metadata"]["annotations"] = annotations
    answer = ask.api.apply(manifest)
    told = " ".join((answer.message, *answer.warnings))
    assert answer.admitted or "To do: " in answer.message, answer.message
    assert "expression" not in told


def test_an_annotation_that_is_too_long_is_not_read_in_part(ask: Ask):
    reads = tuple(StateRead(f"store-{number}", ("us-east-1a",)) for number in range(400))
    tight = Facts(home=Home.POOL, zones=("us-east-1b",), state=reads, latency_p99=Duration(1))
    said, verdict = ask("state-locality", tight)
    assert verdict.answer is Answer.REFUSED
    assert said.admitted
    fewer, verdict = ask("state-locality", replace(tight, state=reads[:40]))
    agrees("state-locality", fewer, verdict)


@pytest.mark.parametrize("rule", policies())
def test_annotations_as_large_as_there_can_be_are_answered(ask: Ask, rule: str):
    manifest = deployment(
        Facts(home=Home.POOL, zones=("us-east-1b",), latency_p99=Duration(1)), ask.where(rule)
    )
    manifest["metadata"]["annotations"] |= {
        "halfmetal.dev/state": "/".join(["s@us-east-1a"] * 10_000),
        "halfmetal.dev/compliance": "+".join(["pci-dss"] * 10_000),
    }
    answer = ask.api.apply(manifest)
    assert answer.admitted or f"To do: {RULES[rule].remedy}." in answer.message, answer.message


def test_facts_that_are_not_known_are_refused_by_nobody(ask: Ask):
    for rule in policies():
        said, _ = ask(rule, replace(Facts(), has_accelerators=True))
        assert said.admitted
        assert not said.warnings
