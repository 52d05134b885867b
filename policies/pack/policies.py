"""The rules as policies.

Every rule is a resource policy, so that what one resource shows is refused before it is created. A rule whose
facts lie in several resources is a stack policy too, under the name `<rule>-across-stack`. What a rule only
advises against, and what cannot be decided, is said by policies that never stop anything: advice is no limit,
and an unknown value must neither block a deployment nor hide a breach beside it.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PolicySeverity

from components.catalog import Catalog
from components.catalog import load as load_catalog
from components.placement import RULES, Enforcement, Override, Rule
from policies.judging import RELATIONS, Judged, alone, together
from policies.pack.bags import after_creation, before_creation
from policies.pack.stack import StackRules

NAME: Final = "halfmetal"
ACROSS: Final = "-across-stack"
ADVICE: Final = "advice"
UNDECIDED: Final = "undecided"
SUMMARY: Final = "summary"

_LEVELS: Final = {
    Enforcement.MANDATORY: EnforcementLevel.MANDATORY,
    Enforcement.ADVISORY: EnforcementLevel.ADVISORY,
    Enforcement.DISABLED: EnforcementLevel.DISABLED,
}


def policies(
    overrides: Mapping[str, Override],
    say: Callable[[str], None] | None = None,
    catalog: Catalog | None = None,
) -> list[Policy]:
    """Every policy of the pack, as a stack with these overrides and this catalog has it.

    `say` is given the one line that sums up a whole stack; it goes to standard output unless told otherwise.
    """
    rules = StackRules(overrides, catalog if catalog is not None else load_catalog())
    record = _Record(running=len(rules.settings().enforced))
    return [
        *(_of_one_resource(rule, rules, record) for rule in RULES.values()),
        *(_across_stack(RULES[name], rules, record) for name in RELATIONS),
        _advice(rules),
        _undecided(rules),
        _undecided_across_stack(rules),
        _summary(record, say or _print),
    ]


class _Record:
    """What the pack's policies said in one preview or update, for the line that sums it up.

    The engine judges every resource before the stack, in one process. Judging all of them again at the end
    would see less: of a resource in a cluster that does not exist yet, a preview has inputs but no outputs.
    """

    def __init__(self, running: int) -> None:
        self._running = running
        self._judged: set[tuple[str, str]] = set()
        self._broken: set[str] = set()

    def add(self, judged: Judged) -> None:
        """Take note of a verdict."""
        self._judged.add((judged.rule.id, judged.resource.urn))
        if judged.refused:
            self._broken.add(judged.rule.id)

    def summed_up(self, resources: int) -> str:
        """How many rules judged how many resources, and which of them were broken."""
        judged = {urn for _, urn in self._judged}
        broken = [rule for rule in RULES if rule in self._broken]
        said = f"broken: {', '.join(broken)}" if broken else "all kept"
        return f"halfmetal: {self._running} placement rules on {len(judged)} of {resources} resources: {said}"


# -- policies


def _of_one_resource(rule: Rule, rules: StackRules, record: _Record) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        setting = rules.settings(rule.id, args.get_config()).by_id[rule.id]
        for judged in alone([setting], before_creation(args)):
            record.add(judged)
            if judged.refused:
                report(_violation(judged), None)

    return ResourceValidationPolicy(
        name=rule.id,
        description=f"{rule.title}.",
        validate=validate,
        enforcement_level=_level(rule, rules),
        severity=PolicySeverity(rule.severity.value),
        remediation_steps=rule.remedy,
        config_schema=_schema(rule),
    )


def _across_stack(rule: Rule, rules: StackRules, record: _Record) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for judged in together(rules.settings().by_id[rule.id], after_creation(args.resources)):
            record.add(judged)
            if judged.refused:
                report(_violation(judged), judged.resource.urn)

    return StackValidationPolicy(
        name=rule.id + ACROSS,
        description=f"{rule.title} (as the resources of the stack relate).",
        validate=validate,
        enforcement_level=_level(rule, rules),
        severity=PolicySeverity(rule.severity.value),
        remediation_steps=rule.remedy,
    )


def _advice(rules: StackRules) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for judged in alone(rules.settings().enforced, before_creation(args)):
            if judged.advised_against:
                report(f"{judged.rule.id}: {_violation(judged)}", None)

    return ResourceValidationPolicy(
        name=ADVICE,
        description="A rule advises against what it does not refuse.",
        validate=validate,
        enforcement_level=EnforcementLevel.ADVISORY,
        severity=PolicySeverity.LOW,
    )


def _undecided(rules: StackRules) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for judged in alone(rules.settings().enforced, before_creation(args)):
            # What the stack will show is not missing yet.
            if judged.open and not judged.waits_for_stack:
                report(f"{judged.rule.id}: {judged}", None)

    return ResourceValidationPolicy(
        name=UNDECIDED,
        description="A rule could not be decided for want of a fact.",
        validate=validate,
        enforcement_level=EnforcementLevel.ADVISORY,
        severity=PolicySeverity.LOW,
    )


def _undecided_across_stack(rules: StackRules) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = after_creation(args.resources)
        for rule in RELATIONS:
            for judged in together(rules.settings().by_id[rule], resources):
                if judged.open:
                    report(f"{judged.rule.id}: {judged}", judged.resource.urn)

    return StackValidationPolicy(
        name=UNDECIDED + ACROSS,
        description="A rule could not be decided for want of a fact.",
        validate=validate,
        enforcement_level=EnforcementLevel.ADVISORY,
        severity=PolicySeverity.LOW,
    )


def _summary(record: _Record, say: Callable[[str], None]) -> Policy:
    def validate(args: StackValidationArgs, _: ReportViolation) -> None:
        say(record.summed_up(len(args.resources)))

    return StackValidationPolicy(
        name=SUMMARY,
        description="Sums up in one line what the rules say of the stack. Never a violation.",
        validate=validate,
        enforcement_level=EnforcementLevel.ADVISORY,
        severity=PolicySeverity.LOW,
    )


def _violation(judged: Judged) -> str:
    return f"{judged} To do: {judged.rule.remedy}."


def _level(rule: Rule, rules: StackRules) -> EnforcementLevel:
    return _LEVELS[rules.settings().by_id[rule.id].enforcement]


def _schema(rule: Rule) -> PolicyConfigSchema | None:
    """The rule's thresholds as pack configuration, so that a wrong one is refused before anything runs.

    It states no defaults: the engine would hand them over as if somebody had chosen them.
    """
    if not rule.parameters:
        return None
    figures = rule.thresholds(load_catalog())
    return PolicyConfigSchema(
        {
            name: {
                "type": "string",
                "description": f"{parameter.about} Default: {figures.values[name]}.",
                "pattern": f"^(?:{parameter.kind.pattern})$",
            }
            for name, parameter in rule.parameters.items()
        }
    )


def _print(line: str) -> None:
    """To standard output, which the engine shows among a stack's messages."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
