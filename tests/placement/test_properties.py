"""What must hold for every workload, not for the examples only."""

from dataclasses import fields, replace

from facts_of_all_kinds import (
    ZONES,
    any_facts,
    anything,
    durations,
    memories,
    sensible_facts,
    shares,
    short_durations,
)
from hypothesis import given
from hypothesis import strategies as st

from components import catalog
from components.placement import (
    ANNOTATION_PREFIX,
    RULES,
    TAG_PREFIX,
    Answer,
    Facts,
    Home,
    Override,
    Settings,
    StateRead,
    Verdict,
    settle,
)
from components.spec import Duration, Memory, Share

ALLOWED_IN_A_TAG = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/=+-@ ")


def _settings() -> Settings:
    return settle(catalog.load(), {})


def _verdict(rule: str, facts: Facts) -> Verdict:
    return RULES[rule].check(facts, RULES[rule].thresholds(catalog.load()))


def test_every_fact_is_generated():
    assert set(anything) == {field.name for field in fields(Facts)}


@given(any_facts)
def test_facts_survive_the_way_through_tags_and_annotations(facts: Facts):
    tags, annotations = facts.to_tags(), facts.to_annotations()
    assert Facts.from_tags(tags) == facts
    assert Facts.from_tags(annotations) == facts
    for key, value in tags.items():
        assert key.startswith(TAG_PREFIX)
        assert len(key) <= 128
        assert 0 < len(value) <= 256
        assert set(value) <= ALLOWED_IN_A_TAG
        assert not value[0].isspace()
        assert not value[-1].isspace()
    assert all(key.startswith(ANNOTATION_PREFIX) for key in annotations)


def test_a_value_too_long_for_one_tag_is_carried_by_several():
    reads = tuple(StateRead(f"store-{number}", ZONES) for number in range(40))
    facts = Facts(workload="embed" * 200, state=reads)
    tags = facts.to_tags()
    assert all(len(value) <= 256 for value in tags.values())
    assert len(tags) > 8
    assert Facts.from_tags(dict(reversed(tags.items()))) == facts


@given(
    st.dictionaries(
        st.sampled_from(sorted(anything)).map(lambda name: TAG_PREFIX + name.replace("_", "-"))
        | st.text()
        | st.text().map(lambda text: TAG_PREFIX + text),
        st.text(),
    )
)
def test_tags_that_someone_edited_raise_nothing(tags: dict[str, str]):
    facts = Facts.from_tags(tags)
    for _, verdict in _settings().judge(facts):
        assert verdict.reason


@given(any_facts)
def test_every_rule_answers_whatever_the_facts(facts: Facts):
    for _, verdict in _settings().judge(facts):
        assert bool(verdict.missing) == (verdict.answer is Answer.UNDECIDED)
        assert all(getattr(facts, name) in (None, ()) for name in verdict.missing)


@given(sensible_facts, memories, memories)
def test_adding_memory_never_makes_a_function_fit_again(facts: Facts, some: Memory, more: Memory):
    less, greater = sorted((some, more))
    before = _verdict("memory-over-function-limit", replace(facts, memory=less))
    after = _verdict("memory-over-function-limit", replace(facts, memory=greater))
    assert before.answer is not Answer.REFUSED or after.answer is Answer.REFUSED


@given(sensible_facts, shares, shares)
def test_raising_utilization_never_lets_a_function_in_again(facts: Facts, some: Share, more: Share):
    less, greater = sorted((some, more))
    before = _verdict("sustained-utilization", replace(facts, utilization=less))
    after = _verdict("sustained-utilization", replace(facts, utilization=greater))
    assert _hardness(before) <= _hardness(after)


def _hardness(verdict: Verdict) -> int:
    return (verdict.answer is Answer.REFUSED) * (1 if verdict.soft else 2)


@given(
    sensible_facts,
    st.sampled_from(["latency_p99", "cold_start_tolerance", "jitter"]),
    short_durations,
    short_durations,
)
def test_tightening_a_latency_budget_never_widens_the_homes(
    facts: Facts, budget: str, some: Duration, more: Duration
):
    tight, loose = sorted((some, more))

    def allowed(limit: Duration) -> set[Home]:
        asked = (replace(facts, home=home, **{budget: limit}) for home in Home)
        return {facts.home for facts in asked if facts.home and not _settings().blocking(facts)}

    assert allowed(tight) <= allowed(loose)


@given(sensible_facts, st.sampled_from(sorted(anything)))
def test_learning_a_fact_never_reverses_an_answer(facts: Facts, name: str):
    """What is decided without a fact stays decided with it: "undecided" is said wherever the fact matters.

    Bounds of a function are the exception on purpose: one known to be missing refuses at once.
    """
    for (setting, without), (_, known) in zip(
        _settings().judge(replace(facts, **{name: None})), _settings().judge(facts), strict=True
    ):
        if without.answer is Answer.REFUSED and _may_soften(setting.rule.id, name):
            continue
        if without.answer is Answer.FITS and _may_harden(setting.rule.id, name):
            continue
        if without.answer is not Answer.UNDECIDED:
            assert known.answer is without.answer, (setting.rule.id, name)


def _may_soften(rule: str, name: str) -> bool:
    """What is taken for the usual case, until it is known to be another.

    A kind of accelerator without a count is taken for one; learning that the count is 0 clears it. A function
    is taken for a workload's, until it is known to be a control function. A computed break-even replaces the
    band. What asks for capacity at one place is taken for nodes, until it is known to be a function. A
    function is taken for one of AWS Lambda, until it is known to be of another platform, with other limits.
    """
    return name == "platform" or (rule, name) in {
        ("zone-capacity", "home"),
        ("accelerator-needs-metal", "accelerator_count"),
        ("sustained-utilization", "role"),
        ("sustained-utilization", "break_even"),
        ("long-execution", "role"),
    }


def _may_harden(rule: str, name: str) -> bool:
    """Where a fact is not stated, the widest case it could be is allowed; stating it may forbid."""
    return name == "platform" or (rule, name) in {
        ("accelerator-needs-metal", "managed_instances"),
        ("accelerator-needs-metal", "accelerator_count"),
        ("accelerator-needs-metal", "accelerator_type"),
        ("accelerator-needs-metal", "has_accelerators"),
        ("accelerator-needs-metal", "tolerates"),
        ("compliance-isolation", "isolated_namespace"),
        ("memory-over-function-limit", "managed_instances"),
        ("memory-over-function-limit", "memory"),
        ("memory-over-function-limit", "function_memory"),
        ("runaway-function", "managed_instances"),
        ("sustained-utilization", "break_even"),
        ("long-execution", "role"),
    }


def test_a_subject_never_has_more_tags_than_aws_allows():
    """Fifty on one resource, of which the stack's own take two."""
    assert len(fields(Facts)) <= 48


@given(any_facts, memories, durations, shares)
def test_thresholds_of_any_size_raise_nothing(facts: Facts, memory: Memory, duration: Duration, share: Share):
    sizes: dict[type, Memory | Duration | Share] = {Memory: memory, Duration: duration, Share: share}
    overrides = {
        rule.id: Override(
            thresholds={name: str(sizes[parameter.kind]) for name, parameter in rule.parameters.items()}
        )
        for rule in RULES.values()
    }
    for _, verdict in settle(catalog.load(), overrides).judge(facts):
        assert verdict.reason
