"""How each rule is run here: how hard, and with which figures.

The catalog gives every figure. A stack may change any of them (`policies.rules` of its file), and so may
whoever runs the policy pack. Text with a unit is turned into figures in one place, this one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from components.catalog import Catalog
from components.placement.facts import Facts
from components.placement.judging import Amount, Answer, Enforcement, Rule, Thresholds, Verdict
from components.placement.rules import RULES
from components.spec import PolicyOverrides, Problem, StackError, UnitError


@dataclass(frozen=True, slots=True)
class Override:
    """What someone changes about one rule. Thresholds are text with a unit, by name."""

    enforcement: Enforcement | None = None
    thresholds: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Setting:
    """One rule as it is run."""

    rule: Rule
    enforcement: Enforcement
    thresholds: Thresholds

    def judge(self, facts: Facts) -> Verdict:
        """What the rule says of these facts."""
        return self.rule.check(facts, self.thresholds)

    def enforcement_of(self, verdict: Verdict) -> Enforcement:
        """How hard a verdict of this rule is: advice never stops anything."""
        return Enforcement.ADVISORY if verdict.soft else self.enforcement


@dataclass(frozen=True, slots=True)
class Settings:
    """Every rule as it is run, by id."""

    by_id: Mapping[str, Setting]

    @property
    def enforced(self) -> tuple[Setting, ...]:
        """The rules that are not disabled."""
        return tuple(each for each in self.by_id.values() if each.enforcement is not Enforcement.DISABLED)

    def judge(self, facts: Facts) -> Iterator[tuple[Setting, Verdict]]:
        """What each rule that is not disabled says of these facts."""
        for setting in self.enforced:
            yield setting, setting.judge(facts)

    def blocking(self, facts: Facts) -> tuple[tuple[Setting, Verdict], ...]:
        """The mandatory rules that refuse these facts."""
        return tuple(
            (setting, verdict)
            for setting, verdict in self.judge(facts)
            if verdict.answer is Answer.REFUSED and setting.enforcement_of(verdict) is Enforcement.MANDATORY
        )


def overrides_of(policies: PolicyOverrides) -> dict[str, Override]:
    """The changes that a stack file makes."""
    return {
        name: Override(
            Enforcement(override.enforcement) if override.enforcement is not None else None,
            override.thresholds,
        )
        for name, override in policies.rules.items()
    }


def settle(catalog: Catalog, overrides: Mapping[str, Override], path: str = "policies.rules") -> Settings:
    """Every rule with its catalog figures and these changes.

    Raises StackError, naming each change to what is no rule or no threshold, or that is of the wrong kind.
    """
    problems: list[Problem] = [
        Problem(f"{path}.{name}", None, "is no rule", f"name one of {', '.join(RULES)}")
        for name in overrides
        if name not in RULES
    ]
    settings = {}
    for rule in RULES.values():
        override = overrides.get(rule.id, Override())
        chosen, wrong = _amounts(rule, override.thresholds, f"{path}.{rule.id}")
        problems += wrong
        settings[rule.id] = Setting(
            rule, override.enforcement or rule.enforcement, rule.thresholds(catalog, chosen)
        )
    if problems:
        raise StackError(problems)
    return Settings(settings)


def _amounts(rule: Rule, texts: Mapping[str, Any], path: str) -> tuple[dict[str, Amount], list[Problem]]:
    chosen: dict[str, Amount] = {}
    problems = []
    for name, value in texts.items():
        parameter = rule.parameters.get(name)
        if parameter is None:
            known = ", ".join(rule.parameters) or "it has none"
            problems.append(
                Problem(f"{path}.{name}", value, f"is no threshold of {rule.id}", f"its thresholds: {known}")
            )
            continue
        try:
            chosen[name] = parameter.kind.from_config(value)
        except UnitError as error:
            problems.append(Problem(f"{path}.{name}", value, error.message, error.remedy))
    return chosen, problems
