"""A stack's figures as its policies are asked with them."""

import re
from datetime import date

import pytest

from components import catalog
from components.admission.parameters import Governed, parameters
from components.placement import settle
from components.spec import Waiver


@pytest.mark.parametrize(
    ("expires", "last", "first_after"),
    [
        (date(2026, 11, 25), "2026-11-25T23:59:59Z", "2026-11-26T00:00:00Z"),
        (date(2026, 12, 31), "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        pytest.param(date.max, "9999-12-31T23:59:59Z", None, id="as good as never"),
    ],
)
def test_a_waiver_counts_to_the_end_of_its_last_day(expires: date, last: str, first_after: str | None):
    """Times are compared as texts, in which the earlier one is the lesser."""
    waiver = Waiver(rule="jitter-budget", subject="chat", reason="r", owner="o", expires=expires)
    until = parameters(Governed(settle(catalog.load(), {}), waivers=[waiver]))["waiver.1.until"]
    assert last < until
    assert first_after is None or until <= first_after


@pytest.mark.parametrize(
    ("subject", "named", "not_named"),
    [
        ("chat-*", "chat-1", "old-chat-1"),
        ("chat.v1", "chat.v1", "chat-v1"),
        ("aws:ecs/task:*@x", "aws:ecs/task:chat@x", "aws:ecs/task:chat@y"),
    ],
)
def test_a_waiver_names_what_its_subject_does(subject: str, named: str, not_named: str):
    waiver = Waiver(rule="jitter-budget", subject=subject, reason="r", owner="o", expires=date.max)
    pattern = parameters(Governed(settle(catalog.load(), {}), waivers=[waiver]))["waiver.1.subject"]
    assert re.search(pattern, named)
    assert not re.search(pattern, not_named)
