"""Every type on the emulator: made, read back, changed property by property, deleted, gone."""

from typing import Any

import pytest
from provider_driver import Driver, World, urn_of
from resource_cases import CASES, Case, Given

from sandbox.aws.provider.diff import DEFAULTS
from sandbox.aws.provider.provider import Known, plan_of
from sandbox.aws.provider.table.model import Entry

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_life_of_a_resource(case: Case, driver: Driver, world: World) -> None:
    given = case.inputs(world)
    known = driver.create(case.token, given)
    assert_no_drift(driver, case, known, "create")
    wanted = dict(given)
    for change in case.updates(world):
        wanted = changed(wanted, change)
        known = assert_updates(driver, case, known, wanted, change)
    assert_can_be_imported(driver, case, known)
    driver.delete(case.token, known)
    assert_gone(driver, case, known)


def changed(given: Given, change: Given) -> dict[str, Any]:
    return {name: value for name, value in {**given, **change}.items() if value is not None}


def assert_updates(driver: Driver, case: Case, known: Known, wanted: Given, change: Given) -> Known:
    inputs = driver.inputs(case.token, wanted, known.inputs)
    found = driver.diff(case.token, known, inputs)
    assert set(found.properties) <= set(change), f"{change} changes more than it says"
    assert not found.replacing, f"{change} should change in place"
    after = driver.update(case.token, known, inputs)
    assert_no_drift(driver, case, after, str(change))
    return after


def assert_no_drift(driver: Driver, case: Case, known: Known, when: str) -> None:
    """What was asked for is there, nothing else is, and a refresh leaves the inputs as they were written."""
    refreshed = driver.read(case.token, known)
    assert refreshed.resource_id == known.resource_id, f"after {when} it cannot be read"
    assert not driver.diff(case.token, refreshed, known.inputs).changes, f"drift after {when}"
    assert refreshed.inputs == known.inputs, f"refreshed inputs differ after {when}"
    assert outputs_of(known) <= outputs_of(refreshed), f"outputs are lost after {when}"


def outputs_of(known: Known) -> set[str]:
    return {name for name, value in known.state.items() if value not in (None, "", [], {})}


def assert_can_be_imported(driver: Driver, case: Case, known: Known) -> None:
    """By the id that a person would give; what is found matches what the program says."""
    entry = plan_of(case.token).entry
    if not entry.import_id:
        return
    identity = import_id(entry, known)
    found = driver.provider.read(urn_of(case.token), Known(identity))
    # What is found by other things than its id may have got a new one since (a route table's association).
    assert found.resource_id == known.resource_id or entry.found_id
    unseen = {DEFAULTS, *entry.write_only, *entry.emulator_gaps}
    said = {name: value for name, value in known.inputs.items() if name in found.inputs.keys() - unseen}
    changes = driver.diff(case.token, found, said).changes
    missing = {change.path.split(".")[0] for change in changes if change.kind == "delete"}
    assert not [change for change in changes if change.path.split(".")[0] not in missing]


def import_id(entry: Entry, known: Known) -> str:
    if entry.import_id == "{id}":
        return known.resource_id
    parts = {"id": known.resource_id, **known.state}
    return entry.import_id.format_map({name: str(value) for name, value in parts.items()})


def assert_gone(driver: Driver, case: Case, known: Known) -> None:
    entry = plan_of(case.token).entry
    if entry.remains:
        return
    assert not driver.read(case.token, known).resource_id
    driver.delete(case.token, known)
