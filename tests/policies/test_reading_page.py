"""The page in the documentation says what is read today.

After a change: HALFMETAL_GOLDEN=write pytest tests/policies/test_reading_page.py, and look at the difference.
"""

import os
from pathlib import Path

from reading_page import FACTS, FIRST, facts_by_rule, tables

PAGE = Path(__file__).parents[2] / "docs" / "policies-reading.md"


def test_the_page_is_todays():
    written, first, made = PAGE.read_text(encoding="utf-8").partition(FIRST)
    if os.environ.get("HALFMETAL_GOLDEN") == "write":
        PAGE.write_text(written + tables(), encoding="utf-8")
        return
    assert first + made == tables()


def test_every_fact_is_read_by_some_rule_or_names_something():
    read = frozenset().union(*facts_by_rule().values())
    assert set(FACTS) - read <= {"workload", "pool"}
