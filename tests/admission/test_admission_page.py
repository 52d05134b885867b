"""What the page on admission says of the rules is so."""

from components.admission.exploring import explore, facts_asked
from components.admission.policies import never_refuse, policies
from components.placement import RULES
from sandbox.paths import REPO

PAGE = REPO / "docs" / "admission.md"


def table() -> str:
    """Every rule, and on which facts its policy rests."""
    rows = ["| rule | in the cluster | rests on |", "|---|---|---|"]
    for rule in RULES.values():
        if rule.id in never_refuse():
            rows.append(f"| `{rule.id}` | refuses nothing: it is of functions alone | |")
        else:
            facts = ", ".join(sorted(fact.replace("_", " ") for fact in policies()[rule.id].said.facts))
            rows.append(f"| `{rule.id}` | {rule.enforcement} | {facts} |")
    return "\n".join(rows)


def test_the_page_names_every_rule_as_it_is():
    """To renew: put what `table` says between the two comments."""
    written = PAGE.read_text().partition("test_admission_page.py -->\n")[2].partition("\n<!-- /computed")[0]
    assert written == table()


def test_what_refuses_nothing_in_a_cluster_was_looked_for():
    for rule in never_refuse():
        assert "home" in facts_asked(explore(RULES[rule]))
