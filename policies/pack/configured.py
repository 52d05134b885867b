"""The rules as they are run: as the stack has them, and over that as the pack was configured for this run.

`--policy-pack-config` gives each policy a level and figures of its own. Here they are taken to mean the rule:
what advises, names what is undecided and relates the stack goes by them too.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2

from components.placement import RULES, Enforcement, Override, Settings, settle
from components.spec import Problem, StackError
from policies.pack.stack import Said

_WHERE: Final = "policy pack configuration"
_ALL: Final = "all"
"""What the engine calls the level that a configuration gives every policy that it does not name."""

_ENFORCEMENTS: Final = {
    analyzer_pb2.MANDATORY: Enforcement.MANDATORY,
    # What remediation leaves is refused.
    analyzer_pb2.REMEDIATE: Enforcement.MANDATORY,
    analyzer_pb2.ADVISORY: Enforcement.ADVISORY,
    analyzer_pb2.DISABLED: Enforcement.DISABLED,
}


class Rules:
    """The rules with their figures, settled once, not for every resource."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self._configured: dict[str, Mapping[str, Any]] = {}
        self._settled = settle(said.catalog, said.overrides)
        self._others: dict[tuple[str, str], Settings] = {}

    def take(self, said: Said) -> None:
        """Take the rules as a stack has them."""
        self.said = said
        self._configured = {}
        self._settled = settle(said.catalog, said.overrides)
        self._others.clear()

    def settings(self, rule: str = "", config: Mapping[str, Any] | None = None) -> Settings:
        """Every rule; the figures of one as its own policy is configured, if it is otherwise than was told.

        Raises StackError for a figure that makes no sense.
        """
        if not config or config == self._configured.get(rule):
            return self._settled
        key = (rule, repr(sorted(config.items())))
        if key not in self._others:
            own = self.said.overrides.get(rule, Override())
            changed = {**self.said.overrides, rule: Override(own.enforcement, {**own.thresholds, **config})}
            self._others[key] = settle(self.said.catalog, changed, path=_WHERE)
        return self._others[key]

    def configure(self, chosen: Mapping[str, analyzer_pb2.PolicyConfig]) -> None:
        """Take the rules as they are configured for this run.

        Raises StackError, naming each figure and each rule that there is none of.
        """
        figures = {name: json_format.MessageToDict(config.properties) for name, config in chosen.items()}
        changed = dict(self.said.overrides)
        for name in RULES.keys() & chosen.keys():
            own = self.said.overrides.get(name, Override())
            level = _ENFORCEMENTS[chosen[name].enforcementLevel]
            changed[name] = Override(level, {**own.thresholds, **figures[name]})
        self._settled = settle(self.said.catalog, changed, path=_WHERE)
        self._configured = figures


def refuse_strangers(chosen: Mapping[str, analyzer_pb2.PolicyConfig], known: Mapping[str, object]) -> None:
    """Raise StackError for a configured policy that the pack has none of, or that has no figures."""
    if problems := list(_strangers(chosen, known)):
        raise StackError(problems)


def _strangers(
    chosen: Mapping[str, analyzer_pb2.PolicyConfig], known: Mapping[str, object]
) -> Iterator[Problem]:
    for name, config in chosen.items():
        if name not in known and name != _ALL:
            remedy = f"name one of {', '.join(known)}, or all"
            yield Problem(f"{_WHERE}.{name}", None, "is no policy of this pack", remedy)
        elif name not in RULES and config.properties.fields:
            figure = ", ".join(sorted(config.properties.fields))
            yield Problem(
                f"{_WHERE}.{name}", None, f"has no thresholds, so no {figure}", "set those of the rule itself"
            )


def adapt(
    chosen: Mapping[str, analyzer_pb2.PolicyConfig],
    own: "Mapping[str, analyzer_pb2.EnforcementLevel.ValueType]",
    across: str,
) -> None:
    """Give each policy the level that is meant where a configuration does not name it.

    `own` are the levels that the pack itself gives its policies. `all` means the rules: what never stops
    anything still does not. A rule's level is also that of its policy across the stack, the name of which
    ends in `across`.
    """
    of_all = chosen[_ALL].enforcementLevel if _ALL in chosen else None
    for name, config in chosen.items():
        level, rule = config.enforcementLevel, name.removesuffix(across)
        if rule in RULES:
            if rule != name and rule in chosen and level == own[name]:
                config.enforcementLevel = chosen[rule].enforcementLevel
        elif name in own and level == of_all and level != analyzer_pb2.DISABLED:
            config.enforcementLevel = analyzer_pb2.ADVISORY
