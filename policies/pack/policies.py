"""The rules as policies.

Every rule is a resource policy, so that what one resource shows is refused before it is created. A rule whose
facts lie in several resources is a stack policy too, under the name `<rule>-across-stack`. What a rule only
advises against, what is waived and what cannot be decided is said by policies that never stop anything:
advice is no limit, and an unknown value must neither block a deployment nor hide a breach beside it.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from pulumi.runtime.proto import analyzer_pb2
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

from components.catalog import load as load_catalog
from components.placement import RULES, Enforcement, Rule
from policies.judging import RELATIONS
from policies.pack.configured import Rules, adapt, refuse_strangers
from policies.pack.judge import Findings, Found, Judge
from policies.pack.remediation import REMEDIABLE, Remediation
from policies.pack.stack import Said, read, stack_of

NAME: Final = "halfmetal"
ACROSS: Final = "-across-stack"
ADVICE: Final = "advice"
WAIVED: Final = "waived"
UNDECIDED: Final = "undecided"
SUMMARY: Final = "summary"

_LEVELS: Final = {
    Enforcement.MANDATORY: EnforcementLevel.MANDATORY,
    Enforcement.ADVISORY: EnforcementLevel.ADVISORY,
    Enforcement.DISABLED: EnforcementLevel.DISABLED,
}


class Pack:
    """Every policy of the pack, and how they are run: as the stack has it, and as configured for one run."""

    def __init__(self, today: date, say: Callable[[str], None] | None = None) -> None:
        """`today` is the day that waivers are held to for as long as the pack runs.

        `say` is given the lines that sum up a stack; they go to standard output unless told otherwise.
        """
        self._today = today
        self._rules = Rules(Said())
        self._judge = Judge(self._rules)
        self._remediation = Remediation(self._rules, self._judge)
        self._say = say or _print
        self.policies: Final[list[Policy]] = [
            *(self._of_one_resource(rule) for rule in RULES.values()),
            *(self._across_stack(RULES[name]) for name in RELATIONS),
            *self._never_stopping(),
        ]

    def configure_stack(self, config: Mapping[str, str]) -> None:
        """Take what the configuration of the stack that it is run for says. Every run begins with it."""
        self._judge.begin()
        self.take(read(stack_of(config), self._today))

    def take(self, said: Said) -> None:
        """Take what a stack says. The engine asks for the levels after that, and keeps to them."""
        self._rules.take(said)
        for policy in self.policies:
            rule = RULES.get(policy.name.removesuffix(ACROSS))
            if rule is not None:
                policy.enforcement_level = self._level(rule, alone=rule.id == policy.name)

    def configure(self, request: analyzer_pb2.ConfigureAnalyzerRequest) -> None:
        """Take the configuration of a run; raises StackError for what there is none of or makes no sense."""
        levels = {policy.name: _sent(policy.enforcement_level) for policy in self.policies}
        refuse_strangers(request.policyConfig, levels)
        adapt(request.policyConfig, levels, ACROSS)
        self._rules.configure(request.policyConfig)

    def _of_one_resource(self, rule: Rule) -> Policy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            settings = self._rules.settings(rule.id, args.get_config())
            for found in self._judge.alone(args, settings).of(rule.id):
                if found.judged.refused and not found.is_let_be:
                    report(_violation(found), None)

        # The SDK's type says that it must be awaitable; the SDK itself takes either.
        remediate: Any = self._remediation.of(rule) if rule.id in REMEDIABLE else None
        return ResourceValidationPolicy(
            name=rule.id,
            description=f"{rule.title}.",
            validate=validate,
            remediate=remediate,
            enforcement_level=self._level(rule, alone=True),
            severity=PolicySeverity(rule.severity.value),
            remediation_steps=rule.remedies,
            config_schema=_schema(rule),
        )

    def _across_stack(self, rule: Rule) -> Policy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            for found in self._judge.together(args).of(rule.id):
                if found.judged.refused and not found.is_let_be:
                    report(_violation(found), found.judged.resource.urn)

        return StackValidationPolicy(
            name=rule.id + ACROSS,
            description=f"{rule.title} (as the resources of the stack relate).",
            validate=validate,
            enforcement_level=self._level(rule, alone=False),
            severity=PolicySeverity(rule.severity.value),
            remediation_steps=rule.remedies,
        )

    def _level(self, rule: Rule, *, alone: bool) -> EnforcementLevel:
        """The level of a rule's policy, `alone` of the one that judges each resource by itself."""
        level = _LEVELS[self._rules.settings().by_id[rule.id].enforcement]
        remediates = alone and rule.id in self._rules.said.remediate
        return EnforcementLevel.REMEDIATE if remediates and level is EnforcementLevel.MANDATORY else level

    def _never_stopping(self) -> Iterable[Policy]:
        about = {
            ADVICE: "A rule advises against what it does not refuse.",
            WAIVED: "Somebody answers for a breach, until a day.",
            UNDECIDED: "A rule could not be decided for want of a fact.",
        }
        of_each = {ADVICE: _advice, WAIVED: _let_be, UNDECIDED: _undecided_alone}
        of_all = {ADVICE: _advice, WAIVED: _let_be, UNDECIDED: _undecided}
        yield from (self._of_each(name, about[name], pick) for name, pick in of_each.items())
        yield from (self._of_all(name, about[name], pick) for name, pick in of_all.items())
        yield self._summary()

    def _of_each(self, name: str, description: str, pick: "_Pick") -> Policy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            for message, _ in pick(self._judge.alone(args, self._rules.settings())):
                report(message, None)

        return ResourceValidationPolicy(name=name, validate=validate, **_never_stops(description))

    def _of_all(self, name: str, description: str, pick: "_Pick") -> Policy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            for message, urn in pick(self._judge.together(args)):
                report(message, urn)

        return StackValidationPolicy(name=name + ACROSS, validate=validate, **_never_stops(description))

    def _summary(self) -> Policy:
        def validate(args: StackValidationArgs, _: ReportViolation) -> None:
            for line in self._judge.summed_up(args):
                self._say(line)

        about = "Sums up in one line what the rules say of the stack, and lists waivers. Never a violation."
        return StackValidationPolicy(name=SUMMARY, validate=validate, **_never_stops(about))


# -- what they say


_Pick = Callable[[Findings], Iterable[tuple[str, str]]]
"""Messages, each with the URN of what it is about."""


def _violation(found: Found) -> str:
    return f"{found} To do: {found.judged.remedy}."


def _advice(findings: Findings) -> Iterable[tuple[str, str]]:
    for found in findings:
        if found.judged.advised_against and not found.is_let_be:
            yield f"{found.judged.rule.id}: {_violation(found)}", found.judged.resource.urn


def _let_be(findings: Findings) -> Iterable[tuple[str, str]]:
    for found in findings:
        if found.is_let_be:
            yield f"{found.judged.rule.id}: {found}", found.judged.resource.urn


def _undecided(findings: Findings) -> Iterable[tuple[str, str]]:
    for found in findings:
        if found.judged.open:
            yield f"{found.judged.rule.id}: {found}", found.judged.resource.urn
    for fault in findings.faults:
        yield f"{', '.join(fault.rules)}: {fault}", fault.resource.urn


def _undecided_alone(findings: Findings) -> Iterable[tuple[str, str]]:
    """Without what waits for the stack: what that will show is not missing yet."""
    by_rule = {
        rule: [found for found in every if not found.judged.waits_for_stack]
        for rule, every in findings.by_rule.items()
    }
    yield from _undecided(Findings(by_rule, findings.faults))


# -- how they are declared


def _never_stops(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "enforcement_level": EnforcementLevel.ADVISORY,
        "severity": PolicySeverity.LOW,
    }


def _sent(level: EnforcementLevel | None) -> "analyzer_pb2.EnforcementLevel.ValueType":
    """A level as the engine names it."""
    value: analyzer_pb2.EnforcementLevel.ValueType = analyzer_pb2.EnforcementLevel.Value(
        (level or EnforcementLevel.ADVISORY).name
    )
    return value


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
