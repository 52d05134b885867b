"""Old figures are warned of, by source, on a day that the caller names."""

from datetime import date

import pytest

from components import catalog
from components.spec import Duration


@pytest.mark.parametrize(
    ("today", "sources"),
    [
        pytest.param(date(2024, 1, 15), 0, id="before anything is old"),
        pytest.param(
            date(2026, 11, 25), 2, id="on the day it was gathered: the article, and prices of January"
        ),
    ],
)
def test_what_is_stale_on_a_day(today: date, sources: int):
    found = catalog.stale(catalog.load(), today)
    assert len(found) == sources
    assert [each.as_of for each in found] == sorted(each.as_of for each in found)


def test_everything_is_stale_on_the_day_that_all_of_it_is_too_old():
    found = catalog.stale(catalog.load(), date(2030, 1, 1))
    facts = catalog.load()
    count = sum(len(place.facts) for place in facts.places.values())
    assert sum(len(each.paths) for each in found) == count + len(facts.accelerators) + len(
        facts.instance_types
    )


def test_how_old_is_too_old_can_be_said():
    today = date(2026, 12, 25)
    assert len(catalog.stale(catalog.load(), today, Duration.parse("20d"))) > len(
        catalog.stale(catalog.load(), today, Duration.parse("400d"))
    )
    article = catalog.stale(catalog.load(), today, Duration.parse("400d"))[0]
    assert "1075d old, of 2024-01-15" in str(article)


@pytest.mark.parametrize(
    ("region", "sources"),
    [
        pytest.param("us-east-1", 2, id="the article, and EC2 prices of January"),
        pytest.param("eu-central-1", 1, id="the article, which holds anywhere"),
    ],
)
def test_what_is_stale_in_a_region(region: str, sources: int):
    assert len(catalog.stale(catalog.load(), date(2026, 11, 25), region=region)) == sources
