"""A real API server that is given Deployments, in namespaces that are kept to one rule each."""

from collections.abc import Mapping

from api_server import Answer, ApiServer, until
from asked import Asked, Group, waivers
from carrying import BROKEN, alone, deployment, governing, namespace, seen
from rule_case import Case
from said import NOTHING, Said, Says

from components.admission.policies import policies
from components.placement import Facts

HEARD_AS = {
    # It warns, whether a rule advises against something or is only advisory.
    Says.ADVISED_AGAINST: Says.REFUSED,
    # Of what nobody says it says nothing: to whoever applies a manifest that would be no news.
    Says.UNDECIDED: Says.FITS,
}
"""What is said at config time, as it is heard of an API server."""


def carries(case: Case) -> bool:
    """Whether a case is about something that can be in a cluster, and of a rule that can refuse it there."""
    on_function = case.facts.home is not None and case.facts.home.is_function
    return case.rule in policies() and not on_function


def read_as(facts: Facts) -> Facts:
    """What a Deployment that carries facts shows of them."""
    return seen(deployment(facts, "anywhere"), facts)


class Cluster:
    """An API server, and the namespaces that were made in it."""

    def __init__(self, api: ApiServer) -> None:
        self._api = api
        self._namespaces: dict[tuple[str, str, bool], str] = {}

    def said(self, group: Group, asked: Asked) -> Said:
        """What it says of a subject."""
        case = asked.case
        isolated = case.facts.isolated_namespace is not False
        where = self._namespace(group, case.rule, isolated=isolated)
        return _said(self._api.apply(deployment(case.facts, where, asked.name)), case.rule)

    def _namespace(self, group: Group, rule: str, *, isolated: bool) -> str:
        """One that is kept to a rule, by a group's figures and the waivers."""
        figures: Mapping[str, str] = group.rules.get(rule, {})
        key = (rule, str(figures), isolated)
        if key not in self._namespaces:
            name = f"same-{len(self._namespaces)}"
            self._api.keep(namespace(name, "baseline" if isolated else None))
            self._api.keep(*governing(name, alone(group.settings, waivers()), rule))
            broken = deployment(BROKEN[rule], name)
            until(lambda: _said(self._api.apply(broken), rule) != NOTHING, f"{rule} is in effect in {name}")
            self._namespaces[key] = name
        return self._namespaces[key]


def _said(answer: Answer, rule: str) -> Said:
    text = answer.message or answer.warned_of(rule)
    if f"{rule}: " not in text:
        assert answer.admitted, text
        return NOTHING
    is_waived = "(waived until " in text
    says = Says.WAIVED if is_waived else Says.REFUSED
    return Said(says, not answer.admitted, text, "expired on" in text)
