"""One policy of the API server for each rule that can refuse something in a cluster.

A policy works out what its rule says of an object and how hard that is: `deny`, `warn`, or nothing. Two
bindings ask it, each with parameters of its own that name one of the two as their `mode`; one binding's
failures are refused, the other's are warnings. For a validation can be hard or a warning only by its binding,
and one rule is now this, now that: advice, a waived breach and a rule that is advisory only warn.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from components.admission.cel import ADVISED, UNDECIDED, Said, Variable, limit, listing, quoted, say
from components.admission.exploring import explore, refuses
from components.admission.reading import (
    MADE_BY_OTHERS,
    NAME_LABEL,
    annotation,
    unreadable,
    used,
)
from components.admission.reading import variables as read
from components.placement import ANNOTATION_PREFIX, RULES, Rule
from components.placement.labels import POD_SECURITY_LABEL

DENY: Final = "deny"
WARN: Final = "warn"
MODE: Final = "mode"

Manifest = dict[str, Any]

_REASON_AT_MOST: Final = 2000
"""Of a message of more than 5 KiB the API server shows nothing; what to do comes last, and is not cut off."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule as the API server keeps it."""

    rule: Rule
    said: Said

    @property
    def covers_namespaces(self) -> bool:
        """Whether a namespace itself can break it."""
        return "isolated_namespace" in self.said.facts

    def manifest(self, name: str) -> Manifest:
        """The object, under a name that its stack alone uses."""
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name, "annotations": {f"{ANNOTATION_PREFIX}rule": self.rule.id}},
            "spec": {
                "failurePolicy": "Fail",
                "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
                "matchConstraints": {"resourceRules": self._resources()},
                "matchConditions": [STAYS, {"name": "is-new-or-changed", "expression": _CHANGED}],
                "variables": as_objects(self.variables()),
                "validations": [
                    {
                        "expression": f"variables.force != params.data.{MODE}",
                        "message": f"{self.rule.id}: {self.rule.title}",
                        "messageExpression": "variables.message",
                    }
                ],
            },
        }

    def variables(self) -> tuple[Variable, ...]:
        """All variables, each after those that it rests on."""
        own = {each.name: each for each in (*self._limits(), *self.said.shared, *self._judgement())}
        texts = " ".join(each.expression for each in own.values())
        facts = read(sorted({name for name in used(texts) if name not in own}))
        return (*facts, *own.values())

    def _resources(self) -> list[dict[str, Any]]:
        return [
            resources("apps", ["daemonsets", "deployments", "replicasets", "statefulsets"]),
            resources("batch", ["cronjobs", "jobs"]),
            resources("", ["replicationcontrollers", *(["namespaces"] if self.covers_namespaces else [])]),
            # Of a pod that a scheduling gate holds it can be changed where it may go, and of any its cores.
            resources("", ["pods", "pods/resize"]),
        ]

    @property
    def thresholds(self) -> tuple[str, ...]:
        """The thresholds that matter in a cluster."""
        texts = " ".join((self.said.expression, *(each.expression for each in self.said.shared)))
        asked = {name.removesuffix("_said").removesuffix("_caveat") for name in used(texts)}
        return tuple(name for name in self.rule.parameters if limit(name) in asked)

    def _limits(self) -> Iterator[Variable]:
        for name in self.thresholds:
            key = f"{self.rule.id}.{name}"
            yield Variable(limit(name), f"int(params.data['{key}'])")
            yield Variable(f"{limit(name)}_said", f"params.data['{key}.said']")
            yield Variable(f"{limit(name)}_caveat", f"params.data['{key}.caveat']")

    def _judgement(self) -> Iterator[Variable]:
        """What the rule says, how hard, and in which words."""
        rule = self.rule
        yield Variable("said", self.said.expression)
        yield Variable("unread", unreadable(self.said.facts))
        yield Variable(
            "missing",
            f"!variables.said.startsWith({quoted(UNDECIDED)}) ? []"
            " : variables.said.substring(1).split(' ').filter(f, f in variables.unread)",
        )
        yield Variable("names", _NAMES)
        yield Variable("now", _NOW)
        yield Variable(
            "waiver",
            # Sorted by the last day: the first that names the subject counts longest.
            f"params.data[?'{rule.id}.waivers'].orValue('').split(' ').filter(w, w != '' && variables.names"
            ".exists(n, n.matches(params.data['waiver.' + w + '.subject'])))",
        )
        yield Variable(
            "waived",
            "variables.waiver.size() > 0 && variables.now.size() > 0 && variables.now.all(t,"
            " t < params.data['waiver.' + variables.waiver[0] + '.until'])",
        )
        yield Variable("enforcement", f"params.data[?'{rule.id}.enforcement'].orValue('disabled')")
        yield Variable(
            "force",
            "variables.enforcement == 'disabled' || variables.said == '' ? ''"
            f" : variables.said.startsWith({quoted(UNDECIDED)})"
            f" ? (variables.missing.size() > 0 ? '{WARN}' : '')"
            f" : variables.said.startsWith({quoted(ADVISED)}) || variables.enforcement == 'advisory'"
            f" || variables.waived || {_BY_KUBERNETES} ? '{WARN}' : '{DENY}'",
        )
        yield Variable("message", self._message())

    def _message(self) -> str:
        rule = self.rule
        about = f"'{rule.id}: ' + (variables.names.size() > 0 ? variables.names[0] + ': ' : '')"
        waived = (
            "(variables.waiver.size() == 0 ? '' : ' (' + params.data['waiver.' + variables.waiver[0]"
            " + (variables.waived ? '.waived' : variables.now.size() > 0 ? '.expired' : '.undated')] + ')')"
        )
        unread = (
            "'cannot be decided, as what is stated cannot be read: '"
            f" + variables.missing.map(f, '{ANNOTATION_PREFIX}' + f.replace('_', '-')).join(', ')"
            " + '. To do: write it as `halfmetal` does.'"
        )
        said = (
            f"(variables.said.size() > {_REASON_AT_MOST}"
            f" ? variables.said.substring(1, {_REASON_AT_MOST}) + ' …' : variables.said.substring(1))"
        )
        reason = f"{said} + {waived} + {quoted(f'. To do: {rule.remedy}.')}"
        return f"{about} + (variables.missing.size() > 0 ? {unread} : {reason})"


@cache
def policies() -> Mapping[str, Policy]:
    """By rule, for every rule that can refuse something in a cluster."""
    return MappingProxyType(dict(_made()))


def never_refuse() -> tuple[str, ...]:
    """The rules that can refuse nothing in a cluster."""
    return tuple(rule for rule in RULES if rule not in policies())


def _made() -> Iterator[tuple[str, Policy]]:
    for rule in RULES.values():
        tree = explore(rule)
        if refuses(tree):
            yield rule.id, Policy(rule, say(tree))


def resources(group: str, names: list[str], *, updated: bool = True) -> dict[str, Any]:
    """Which requests a policy is asked about."""
    return {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", *(["UPDATE"] if updated else [])],
        "resources": names,
    }


def as_objects(variables: Iterable[Variable]) -> list[dict[str, str]]:
    """Variables as a policy has them."""
    return [{"name": each.name, "expression": each.expression} for each in variables]


STAYS: Final = {"name": "stays", "expression": "!has(object.metadata.deletionTimestamp)"}
"""What is going is let go."""


_ASKED: Final = ("limits", "requests")


def _differs(path: str) -> str:
    return f"dyn(object).{path} != dyn(oldObject).{path}"


_POD_SECURITY: Final = f"metadata.?labels[?'{POD_SECURITY_LABEL}']"
_CARRIES_OTHERS: Final = (
    "[[dyn(object), dyn(oldObject)], [dyn(oldObject), dyn(object)]].exists(os,"
    f" os[0].metadata.?annotations.orValue({{}}).exists(k, k.startsWith('{ANNOTATION_PREFIX}')"
    " && os[0].metadata.annotations[?k] != os[1].metadata.?annotations[?k]))"
)
_IS_OLD_ONE: Final = (
    f"request.kind.kind in {listing(MADE_BY_OTHERS)}"
    " && dyn(object).metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false))"
)
IS_NEW: Final = " || ".join(
    ("request.operation == 'CREATE'", _differs("?spec.?template"), _differs("?spec.?jobTemplate"))
)
"""Whether there are other pods now than there were."""

_RESOURCES: Final = "spec.containers.map(c, c.?resources.orValue({}))"
_CHANGED: Final = " || ".join(
    (
        IS_NEW,
        _CARRIES_OTHERS,
        # Of a namespace's labels a rule reads one, and others label what is shared for ends of their own.
        f"(request.kind.kind == 'Namespace' ? {_differs(_POD_SECURITY)}"
        f" : request.kind.kind == 'Pod' ? {_differs('spec.?nodeSelector')} || {_differs('spec.?affinity')}"
        f" || {_differs('spec.?schedulingGates')} || {_differs(_RESOURCES)}"
        f" : {_differs('metadata.?labels')})",
        # A Deployment takes its old pods away however the rules have changed since they were let in.
        f"({_differs('?spec.?replicas')} && !({_IS_OLD_ONE}))",
        # What a queue holds is judged when it lets it start.
        f"(request.kind.kind == 'Job' && {_differs('spec.?suspend')})",
    )
)

_CONTROLLERS: Final = (
    "cronjob",
    "daemon-set",
    "deployment",
    "job",
    "replicaset",
    "replication",
    "statefulset",
)
_BY_KUBERNETES: Final = "request.userInfo.username in " + listing(
    (
        "system:kube-controller-manager",
        *(f"system:serviceaccount:kube-system:{each}-controller" for each in _CONTROLLERS),
    )
)
"""Whether a controller of Kubernetes itself does it, for an object that was judged when it was applied.

Were it refused, what was let in would not come back from a drained node once a threshold is tightened.
"""

_NAMES: Final = (
    # By what a waiver may know it: the workload, the object, what made it, what made that (whose name it has,
    # with the hash of a Deployment or the time of a CronJob behind it), and the pool it runs on.
    f"[string(variables.own[?'{annotation('workload')}'].or(variables.inner[?'{annotation('workload')}'])"
    f".orValue('')), string(dyn(object).metadata.?labels[?'{NAME_LABEL}'].orValue('')),"
    " string(dyn(object).metadata.?name.orValue(''))].filter(n, n != '')"
    " + variables.owners.map(o,"
    " o.split('-' + string(dyn(object).metadata.?labels[?'pod-template-hash'].orValue('/')))[0])"
    " + variables.owners.filter(o, o.matches('-[0-9]{8}$')).map(o, o.substring(0, o.lastIndexOf('-')))"
    " + variables.pools.map(p, string(p))"
)


def _sets_some(now: str, before: str) -> str:
    """Whether texts by key have one that they had not."""
    return f"{now}.orValue({{}}).exists(k, {now}[?k] != {before}[?k])"


_SAME_CONTAINER: Final = " && ".join(
    (
        "o.name == c.name",
        "o.?image == c.?image",
        *(f"!({_sets_some(f'c.?resources.?{kind}', f'o.?resources.?{kind}')})" for kind in _ASKED),
    )
)
_SETS: Final = " || ".join(
    (
        *(
            _sets_some(f"{now}.?metadata.?{texts}", f"{before}.?metadata.?{texts}")
            for now, before in (
                ("dyn(object)", "dyn(oldObject)"),
                ("variables.template", "variables.template_before"),
            )
            for texts in ("annotations", "labels")
        ),
        *(
            f"dyn(object).?spec.?{each}.hasValue() && {_differs(f'?spec.?{each}')}"
            for each in ("replicas", "suspend")
        ),
        _sets_some("variables.spec.?nodeSelector", "variables.template_before.?spec.?nodeSelector"),
        "variables.containers.exists(c, !variables.template_before.?spec.?containers.orValue([])"
        f".exists(o, {_SAME_CONTAINER}))",
    )
)
"""Whether a change sets something, of what is changed most: not whether it takes something away.

The API server dates what is set in an entry of `metadata.managedFields`, which it adds to those that a client
writes, and does not date what is taken away. So the latest entry of a change that sets something is of its
time or later, whatever the client wrote; that of any other tells nothing.
"""

_NOW: Final = (
    # There is no clock. The server has just dated what is new; of what is changed it dates what is set.
    "request.operation == 'CREATE' ? [string(dyn(object).metadata.creationTimestamp)]"
    f" : {_SETS}"
    " ? dyn(object).metadata.?managedFields.orValue([]).filter(f, has(f.time)).map(f, string(f.time)) : []"
)
