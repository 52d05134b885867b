"""Who hears of alarms: a subscription for each address, however alike two look."""

import re

import pytest
from recording import record

from components.control_plane.alarm_topic import AlarmTopic, AlarmTopicArgs

SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"


def _names(*emails: str) -> dict[str, str]:
    """Names of subscriptions, by address."""
    made = record(lambda: AlarmTopic("alarms", AlarmTopicArgs(emails))).of(SUBSCRIPTION)
    assert len(made) == len({each.name for each in made}) == len(emails)
    return {each.inputs["endpoint"]: each.name for each in made}


def test_addresses_that_look_alike_have_a_subscription_each():
    emails = ("a.b@x.com", "a-b@x.com", "a@b.x.com", "a_b@x.com", "A@b.x.com", "a+b@x.com")
    assert _names(*emails).keys() == set(emails)


def test_an_addresss_name_does_not_depend_on_the_others():
    together = _names("a.b@x.com", "a-b@x.com", "ops@example.com")
    assert all(_names(email) == {email: name} for email, name in together.items())


@pytest.mark.parametrize(
    ("email", "name"),
    [
        pytest.param("ops@example.com", r"alarms-ops-example-com", id="nothing is lost"),
        pytest.param("first.last@example.com", r"alarms-first-last-example-com-[0-9a-f]{8}", id="a dot is"),
    ],
)
def test_only_an_address_that_loses_something_has_a_hash(email: str, name: str):
    assert re.fullmatch(name, _names(email)[email])
