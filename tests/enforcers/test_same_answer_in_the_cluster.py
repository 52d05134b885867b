"""A case is answered by an API server as it is at config time: with the same force, reason and waivers."""

from dataclasses import replace
from typing import Final

import at_config_time
import pytest
from api_server import ApiServer
from asked import Group, Kind, case_id, groups
from carriers import MANIFESTS
from in_cluster import HEARD_AS, Cluster, carries, read_as
from not_carried import NOT_CARRIED
from said import differences

from components.admission.policies import policies
from components.placement import Enforcement

pytestmark = pytest.mark.engine

ASKED: Final = [
    (group, each)
    for group in groups()
    for each in group.asked
    # Of a rule that says nothing it cannot be told when it is in effect.
    if carries(each.case) and each.enforcement is not Enforcement.DISABLED
]


@pytest.fixture(scope="module")
def cluster(api: ApiServer) -> Cluster:
    return Cluster(api)


def test_what_cannot_be_carried_is_listed():
    plain = [(group, each.case) for group, each in ASKED if each.kind is Kind.PLAIN]
    lost = {
        case_id(case)
        for group, case in plain
        if at_config_time.verdict(case, group) != at_config_time.verdict(case, group, read_as(case.facts))
    }
    refused_there = tuple(f"{rule}: " for rule in policies())
    assert lost == {case for case in NOT_CARRIED[MANIFESTS.id] if case.startswith(refused_there)}
    assert len(plain) - len(lost) >= 69


@pytest.mark.parametrize("rule", sorted({each.case.rule for _, each in ASKED}))
def test_the_api_server_says_what_is_said_at_config_time(rule: str, cluster: Cluster):
    found: dict[str, list[str]] = {}
    for group, each in ASKED:
        if each.case.rule == rule:
            facts = {each.name: read_as(each.case.facts)}
            expected, reason = at_config_time.said(Group((each,), group.rules), facts)[each.name]
            heard = replace(expected, says=HEARD_AS.get(expected.says, expected.says))
            found[each.id] = differences(cluster.said(group, each), heard, reason)
    assert {each: told for each, told in found.items() if told} == {}
