"""Sets what clears a breach before it is judged, where that is safe and nobody has said otherwise.

What clears which breach stands in `policies.fixes`. Here it is only applied, and with care: a property that
is stated stays as it is, whatever it says; one that is not known yet or secret is not looked into; what
somebody answers for by a waiver is let be. What is not set goes back to the engine as it came.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, get_args

from pulumi_policy import ResourceValidationArgs

from components.placement import Facts, Rule, Settings
from components.placement.judging import fits
from components.spec import Remediable
from policies.fixes import Fix, applied, fixes, of_gpu_pods, of_log_group
from policies.judging import Judged, alone
from policies.pack.configured import Rules
from policies.pack.judge import Judge
from policies.pack.wire import offered
from policies.reading.bags import ABSENT, fetch, items
from policies.reading.draft import Subject
from policies.resources import Resource

REMEDIABLE: Final = frozenset[str](get_args(Remediable))
"""Rules of which some breach can be cleared safely."""

_DEFAULTS: Final = "__defaults"
"""What providers call their list of the properties that have a default value."""


class Remediation:
    """Clears breaches of a rule."""

    def __init__(self, rules: Rules, judge: Judge) -> None:
        self._rules = rules
        self._judge = judge

    def of(self, rule: Rule) -> Callable[[ResourceValidationArgs], Mapping[str, Any] | None]:
        """The callback of the rule's policy: it answers the changed properties, or None."""

        def remediate(args: ResourceValidationArgs) -> Mapping[str, Any] | None:
            offer = offered()
            if offer is None:
                # The SDK's own bag would be sent back without what it does not keep: hashes of files.
                args.not_applicable("nothing stands between the engine and the SDK")
                return None
            try:
                settings = self._rules.settings(rule.id, args.get_config())
                found = list(self._safe(rule, settings, offer.resource))
            except Exception:  # noqa: BLE001 - the resource is judged next, and what fails there is reported
                return None
            return offer.change(lambda sent: _stated(applied(sent, found), found)) if found else None

        return remediate

    def _safe(self, rule: Rule, settings: Settings, resource: Resource) -> Iterator[Fix]:
        for fix in self._fixes(rule, settings, resource):
            if fix.safe and fix.resource is resource and _is_free(resource.props, fix):
                yield fix

    def _fixes(self, rule: Rule, settings: Settings, resource: Resource) -> Iterator[Fix]:
        setting = settings.by_id[rule.id]
        nothing_said = Judged(rule, resource, Subject(Facts()), fits("no rule reads it alone"))
        judged = next(alone([setting], resource), nothing_said)
        if self._judge.is_let_be(judged):
            return
        if judged.refused:
            yield from fixes(setting, judged, guardrails=self._rules.said.guardrails)
        yield from self._unrelated(rule, resource)

    def _unrelated(self, rule: Rule, resource: Resource) -> Iterator[Fix]:
        """What clears breaches that only others show, which are not at hand before creation."""
        if rule.id == "runaway-function":
            bounded = of_log_group(resource, self._rules.said.guardrails)
            yield from [bounded] if bounded is not None else []
        elif rule.id == "accelerator-needs-metal":
            yield from of_gpu_pods(resource)


def _is_free(props: Mapping[str, Any], fix: Fix) -> bool:
    """Whether nobody stated a property: it is absent, and what it would be within is too or holds others.

    A provider writes its defaults into the inputs before they get here, and keeps a list of them.
    """
    around = [fetch(props, *fix.path[:depth]) for depth in range(1, len(fix.path))]
    by_default = fix.path[-1] in items(props, *fix.path[:-1], _DEFAULTS)
    return (fix.was is ABSENT or by_default) and all(
        each is ABSENT or isinstance(each, Mapping) for each in around
    )


def _stated(props: dict[str, Any], made: Iterable[Fix]) -> dict[str, Any]:
    """Inputs in which what was set is no default any more."""
    for fix in made:
        within = fetch(props, *fix.path[:-1])
        if fix.path[-1] in items(within, _DEFAULTS):
            within[_DEFAULTS] = [name for name in within[_DEFAULTS] if name != fix.path[-1]]
    return props
