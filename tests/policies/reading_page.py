"""The page that says what the rules read, made of what readers declare and of what rules look at."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from rule_cases import CASES

from components.catalog import load as load_catalog
from components.placement import RULES, Facts
from policies.reading import callers, node_relations, pod_relations, relations, task_relations
from policies.reading.declared import CARRIED
from policies.reading.subjects import READS

FACTS: Final = tuple(field.name for field in fields(Facts))
RELATED: Final = [
    module.READS for module in (relations, callers, node_relations, pod_relations, task_relations)
]
FIRST: Final = "## Facts by rule"
"""Where what is made begins; what stands before it somebody wrote."""


def facts_by_rule() -> dict[str, frozenset[str]]:
    """The facts that each rule looks at in its cases."""
    catalog = load_catalog()
    seen: dict[str, set[str]] = {rule: set() for rule in RULES}

    class Watched(Facts):
        __slots__ = ("looked_at",)

        def __getattribute__(self, name: str) -> Any:
            if name in FACTS:
                object.__getattribute__(self, "looked_at").add(name)
            return object.__getattribute__(self, name)

    for case in CASES:
        watched = Watched(**{name: getattr(case.facts, name) for name in FACTS})
        object.__setattr__(watched, "looked_at", seen[case.rule])
        rule = RULES[case.rule]
        rule.check(watched, rule.thresholds(catalog))
    return {rule: frozenset(names) for rule, names in seen.items()}


def tables() -> str:
    """All of the page that is made."""
    rules = facts_by_rule()
    parts = [_of_rules(rules), "## What a resource shows alone\n"]
    parts += _tables(READS, rules)
    parts.append("## What resources show together\n")
    together: dict[str, dict[str, tuple[str, ...]]] = {}
    for reads in RELATED:
        for kind, properties in reads.items():
            known = together.setdefault(kind, {})
            for path, facts in properties.items():
                known[path] = tuple(dict.fromkeys((*known.get(path, ()), *facts)))
    parts += _tables(together, rules)
    return "\n".join(parts)


def _of_rules(rules: Mapping[str, frozenset[str]]) -> str:
    rows = [f"| `{rule}` | {_listed(facts)} |" for rule, facts in rules.items()]
    return "\n".join([FIRST, "", "| rule | facts |", "|---|---|", *rows, ""])


def _tables(
    reads: Mapping[str, Mapping[str, tuple[str, ...]]], rules: Mapping[str, frozenset[str]]
) -> Iterable[str]:
    alike: dict[str, list[str]] = {}
    for kind, properties in reads.items():
        alike.setdefault(repr(sorted(properties.items())), []).append(kind)
    for kinds in alike.values():
        rows = [_row(path, facts, rules) for path, facts in reads[kinds[0]].items()]
        title = ", ".join(f"`{kind}`" for kind in kinds)
        yield "\n".join([f"### {title}", "", "| property | facts | rules |", "|---|---|---|", *rows, ""])


def _row(path: str, facts: tuple[str, ...], rules: Mapping[str, frozenset[str]]) -> str:
    named = f"`{path}`"
    if facts == CARRIED:
        return f"| {named} | all that it carries | all |"
    readers = [f"`{rule}`" for rule, names in rules.items() if not names.isdisjoint(facts)]
    others = [f"`{rule}`" for rule in rules if f"`{rule}`" not in readers]
    said = ", ".join(readers) if len(others) > len(readers) else f"all but {', '.join(others)}"
    return f"| {named} | {_listed(facts)} | {said} |"


def _listed(facts: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in FACTS if name in set(facts))
