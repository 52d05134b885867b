"""A case is answered the same wherever its rule is enforced: with the same force, reason and waivers.

What is said at config time is what all others are held against. A few cases no resource can carry as they
are: they are listed by name, and are held against what config time says of what such a resource does show.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import at_config_time
import by_audit
import by_pack
import pytest
from asked import Asked, Kind, case_id, groups
from carriers import CARRIERS
from not_carried import CARRIED_AT_LEAST, NO_BUDGET, NO_HOME, NOT_CARRIED
from rule_cases import CASES
from said import Said, Says, differences

from components.placement import RULES

EXPIRED: Final = "expired"
WITHOUT_ADVICE: Final = frozenset(RULES) - {"sustained-utilization", "long-execution"}
"""Rules that have no limit below their hard one, and so can advise against nothing."""

PLACES: Final = [
    *(("pack", "a preview", carrier.id) for carrier in by_pack.CARRIERS),
    *(("audit", source.id, carrier.id) for source in by_audit.SOURCES for carrier in source.carriers),
]
"""An enforcer, what it is shown, and what of that carries the facts."""

Answers = Mapping[tuple[str, str, str, str], Said]


@cache
def at_config_time_as(number: int, carrier: str) -> Mapping[str, tuple[Said, str]]:
    """What is said at config time of a group's subjects, as they are or as a carrier has them."""
    group = groups()[number]
    facts = {each.name: CARRIERS[carrier].read_as(each.case.facts) for each in group.asked} if carrier else {}
    return at_config_time.said(group, facts)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What every enforcer says: by enforcer, what it is shown, carrier and name."""
    found: dict[tuple[str, str, str, str], Said] = {}
    for group in groups():
        audited = by_audit.said(group, tmp_path_factory.mktemp("audited"))
        found |= {("audit", *key): said for key, said in audited.items()}
        found |= {("pack", "a preview", *key): said for key, said in by_pack.said(group).items()}
    return found


def everything_asked() -> Iterator[tuple[int, Asked]]:
    """Each subject, with the number of its group."""
    for number, group in enumerate(groups()):
        for each in group.asked:
            yield number, each


def test_everything_that_is_asked_has_a_name_of_its_own():
    asked = [each for _, each in everything_asked()]
    assert len({each.name for each in asked}) == len({each.id for each in asked}) == len(asked)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_case_of_every_kind_that_it_can_have(rule: str):
    found: set[str] = set()
    for number, each in everything_asked():
        if each.case.rule == rule:
            said, _ = at_config_time_as(number, "")[each.name]
            found |= {said.says, *([EXPIRED] if said.expired else [])}
    lacking = {Says.ADVISED_AGAINST} if rule in WITHOUT_ADVICE else set()
    assert found == {*Says, EXPIRED} - lacking


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_cannot_be_carried_is_listed(carrier: str):
    of_carrier = {
        case_id(each.case): at_config_time_as(number, "")[each.name]
        == at_config_time_as(number, carrier)[each.name]
        for number, each in everything_asked()
        if each.kind is Kind.PLAIN and CARRIERS[carrier].carries(each.case)
    }
    assert {case for case, is_carried in of_carrier.items() if not is_carried} == NOT_CARRIED[carrier]
    assert sum(of_carrier.values()) >= CARRIED_AT_LEAST[carrier]


def test_every_other_case_is_carried_by_something():
    carried = {
        case_id(case)
        for case in CASES
        for carrier in CARRIERS.values()
        if carrier.carries(case) and case_id(case) not in NOT_CARRIED[carrier.id]
    }
    assert {case_id(case) for case in CASES} - carried == {*NO_HOME, *NO_BUDGET}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0]} of {place[2]} in {place[1]}")
def test_an_enforcer_says_what_is_said_at_config_time(
    place: tuple[str, str, str], rule: str, answers: Answers
):
    enforcer, shown, carrier = place
    source = next((source for source in by_audit.SOURCES if source.id == shown), None)
    is_asked_twice = enforcer == "pack"
    asked = [
        (number, each)
        for number, each in everything_asked()
        if each.case.rule == rule and CARRIERS[carrier].carries(each.case)
        if source is None or source.shows(each.case)
    ]
    found = {
        each.id: differences(
            answers[*place, each.name],
            *at_config_time_as(number, carrier)[each.name],
            in_parts=is_asked_twice,
        )
        for number, each in asked
    }
    assert {each: told for each, told in found.items() if told} == {}
