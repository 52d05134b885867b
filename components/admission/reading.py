"""What an object in the API server says of itself, as facts: each a variable of CEL.

It is read as everywhere: the facts that it carries in annotations, over them what its pods ask for. Over both
goes the pool that its pods are held to, of which the parameters of the policy tell what it is. So a pod that
claims to be on metal, and selects a shared pool, is judged by the pool; and in the stack's own namespace one
that selects none, or one that nobody knows, may be on any of the stack's, and has what the worst of them has.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from components.admission.cel import Variable, in_order, is_of_many, listing, quoted, variable
from components.admission.exploring import FACTS
from components.placement import ANNOTATION_PREFIX, NONE, FrontDoor, Tenancy
from components.placement.devices import ACCELERATOR_SLICES, ACCELERATORS, EFA
from components.placement.labels import (
    ISOLATING_LEVELS,
    POD_SECURITY_LABEL,
    POOL_LABEL,
    QUEUE_LABEL,
    ZONE_LABELS,
)
from components.spec.units import Quantity, Share

QUEUE_GATES: Final = "kueue.x-k8s.io/"
"""What the names of the scheduling gates begin with that a queue holds pods by."""
NAME_LABEL: Final = "app.kubernetes.io/name"

OF_POOL: Final = frozenset(
    (
        "audit_logs",
        "managed_cluster",
        "operations_team",
        "own_keys",
        "pinned",
        "tenancy",
        "zones",
    )
)
"""Facts that a pool gives to what runs on it, whatever that says."""

_WORST: Final = {"tenancy": str(Tenancy.SHARED)}
"""The value of a fact of pools that is worst, where that is not that something is lacking."""

_SEEN: Final = frozenset(
    (
        "accelerator_count",
        "efa",
        "has_accelerators",
        "home",
        "isolated_namespace",
        "reads_elsewhere",
        "tolerates",
        "warm_replicas",
    )
)
"""Facts that are not taken from annotations alone."""

_PIECES: Final = ("", *(f".{number}" for number in range(2, 17)))
"""A long annotation is cut into numbered ones."""
_ONE_MORE: Final = ".17"


def variables(names: Iterable[str]) -> tuple[Variable, ...]:
    """These variables and all that they rest on, in an order in which each rests on earlier ones."""
    found: dict[str, Variable] = {}

    def add(name: str) -> None:
        if name in found:
            return
        text = _expression(name)
        for needed in used(text):
            add(needed)
        found[name] = Variable(name, text)

    for name in names:
        add(name)
    return tuple(found.values())


def used(expression: str) -> Iterator[str]:
    """Names of the variables that an expression asks for."""
    return (found[1] for found in re.finditer(r"\bvariables\.([a-z0-9_]+)", expression))


def annotation(fact: str) -> str:
    """The annotation that carries a fact."""
    return ANNOTATION_PREFIX + fact.replace("_", "-")


def unreadable(facts: Iterable[str]) -> str:
    """A list of those of these facts that are stated in a way that cannot be read."""
    parts = [
        f"(variables.{fact}_text != '' && {_is_unknown(fact)} ? [{quoted(fact)}] : [])"
        for fact in sorted(facts)
        if fact not in _SEEN
    ]
    return " + ".join(parts) or "[]"


def _is_unknown(fact: str) -> str:
    asked = f"variables.{variable(fact)}"
    return f"{asked}.size() == 0" if is_of_many(fact) else f"{asked} == ''"


def _expression(name: str) -> str:
    if name in _OBJECT or name in _PODS:
        return _OBJECT.get(name) or _PODS[name]
    if name.endswith("_text"):
        return _stated(name.removesuffix("_text"))
    if name.endswith("_said"):
        fact = name.removesuffix("_said")
        return f"variables.{fact}_text" + (" + '%'" if FACTS[fact] is Share else "")
    return _decoded(name)


# -- the object, its pods, and what both are held to

_HELD_BY: Final[Mapping[str, tuple[str, ...]]] = {"zone": ZONE_LABELS, "pool": (POOL_LABEL,)}


_REQUESTED: Final = "map(c, [c.?resources.?limits.orValue({}), c.?resources.?requests.orValue({})])"


def _selected(labels: tuple[str, ...]) -> str:
    first, *others = (f"variables.spec.?nodeSelector[?'{label}']" for label in labels)
    return "".join((first, *(f".or({other})" for other in others)))


def _template_of(it: str) -> str:
    return (
        f"request.kind.kind == 'Pod' ? dyn({it})"
        " : request.kind.kind == 'Namespace' ? dyn({})"
        f" : request.kind.kind == 'CronJob' ? dyn({it}).spec.jobTemplate.spec.template"
        f" : dyn({it}).spec.template"
    )


_REQUIRED_TERMS: Final = (
    "?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution.?nodeSelectorTerms"
)

_OBJECT: Final[Mapping[str, str]] = {
    "template": _template_of("object"),
    "template_before": _template_of("oldObject"),
    "spec": "variables.template.?spec.orValue({})",
    "containers": "variables.spec.?containers.orValue([])",
    "own": "dyn(object).metadata.?annotations.orValue({})",
    "inner": "variables.template.?metadata.?annotations.orValue({})",
    "is_namespace": "request.kind.kind == 'Namespace'",
    "terms": f"variables.spec.{_REQUIRED_TERMS}.orValue([])",
    **{
        f"{of}_terms": (
            f"variables.terms.map(t, t.?matchExpressions.orValue([])"
            f".filter(e, e.key in {listing(labels)} && e.operator == 'In').map(e, e.?values.orValue([])))"
        )
        for of, labels in _HELD_BY.items()
    },
    **{
        f"{of}_allowed": (
            f"variables.{of}_terms"
            ".map(es, es.size() == 0 ? '' : es[0].filter(v, es.all(vs, v in vs)).join(' ')).join(' ')"
            ".split(' ').filter(v, v != '')"
        )
        for of in ("zone", "pool")
    },
    **{
        f"{of}s_selected": (
            f"[string({_selected(labels)}.orValue(''))].map(s,"
            # Terms are alternatives: one that says nothing of the label leaves every value open.
            f" variables.{of}_terms.size() == 0 || variables.{of}_terms.exists(es, es.size() == 0)"
            " ? (s == '' ? [] : [[s]])"
            f" : s == '' ? [{in_order(f'variables.{of}_allowed')}]"
            f" : [variables.{of}_allowed.exists(v, v == s) ? [s] : []])[0]"
        )
        for of, labels in _HELD_BY.items()
    },
    # The pools that its pods may be on, and of those the ones that the parameters tell of.
    "pools": "variables.pools_selected.size() == 1 ? variables.pools_selected[0] : []",
    "known_pools": "variables.pools.filter(p, ('pool.' + p + '.home') in params.data)",
    # The one pool, whose facts are theirs; what may be on several is on none for certain.
    "pool": (
        "variables.pools.size() == 1 && variables.known_pools.size() == 1 ? string(variables.pools[0]) : ''"
    ),
    # Whether a queue (Kueue) says how its pods get onto nodes, when it lets them start: then it is judged.
    "queued": (
        f"variables.spec.?schedulingGates.orValue([]).exists(g, g.name.startsWith('{QUEUE_GATES}'))"
        " || request.kind.kind == 'Job' && dyn(object).spec.?suspend.orValue(false)"
        f" && '{QUEUE_LABEL}' in dyn(object).metadata.?labels.orValue({{}})"
    ),
    # Whether its pods are on pools of the stack, whatever they claim.
    "on_pools": (
        "variables.known_pools.size() > 0"
        " || params.data[?'namespace'].orValue('') == 'own' && !variables.queued"
    ),
    # Whether it has to say how its pods get onto nodes.
    "ours": (
        "variables.on_pools || !variables.queued"
        f" && ('{annotation('home')}' in variables.own || '{annotation('home')}' in variables.inner)"
    ),
    # Those of the stack's pools that its pods may be on: those that they select, else any.
    "possible_pools": (
        "!variables.on_pools || variables.pools.size() > 0"
        " && variables.known_pools.size() == variables.pools.size() ? variables.known_pools"
        " : params.data[?'pools'].orValue('').split(' ').filter(p, p != '')"
    ),
    "pods_path": (
        "request.kind.kind == 'Pod' ? '/spec'"
        " : request.kind.kind == 'CronJob' ? '/spec/jobTemplate/spec/template/spec' : '/spec/template/spec'"
    ),
    "tolerations": "variables.spec.?tolerations.orValue([])",
    "requested": f"variables.containers.{_REQUESTED}",
    "starting": "variables.spec.?initContainers.orValue([])",
    "requested_beside": (
        f"variables.starting.filter(c, c.?restartPolicy.orValue('') == 'Always').{_REQUESTED}"
    ),
    "requested_before": (
        f"variables.starting.filter(c, c.?restartPolicy.orValue('') != 'Always').{_REQUESTED}"
    ),
    "owners": (
        "dyn(object).metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false))"
        ".map(o, string(o.name))"
    ),
}


def _asked(is_one: str) -> str:
    """How many of an extended resource a pod asks for: limits are requests, and either will do.

    Init containers that keep running have theirs beside the others, and the rest have theirs before them.
    """
    counted = (
        f"r[0].filter(k, {is_one}).map(k, quantity(string(r[0][k])).asInteger()).sum()"
        f" + r[1].filter(k, {is_one} && !(k in r[0])).map(k, quantity(string(r[1][k])).asInteger()).sum()"
    )
    return (
        f"([(variables.requested + variables.requested_beside).map(r, {counted}).sum()]"
        f" + variables.requested_before.map(r, {counted})).max()"
    )


_IS_ADAPTER: Final = f"k == '{EFA}'"
_IS_ACCELERATOR: Final = f"(k in {listing(ACCELERATORS)} || k.startsWith('{ACCELERATOR_SLICES}'))"

TOLERATED: Final = (
    # A taint is written key=value:effect. A toleration without a key tolerates all, one without effect each.
    "variables.tolerations.exists(o,"
    " (o.?key.orValue('') == '' ? o.?operator.orValue('') == 'Exists' : o.key == t.split('=')[0]"
    " && (o.?operator.orValue('') == 'Exists' || o.?value.orValue('') == t.split('=')[1].split(':')[0]))"
    " && o.?effect.orValue('') in ['', t.split(':')[1]])"
)
"""Whether pods tolerate the taint `t`."""

_WHOLE_CORES: Final = (
    "['cpu', 'memory'].all(k, k in r[0]"
    " && (!(k in r[1]) || quantity(string(r[1][k])).compareTo(quantity(string(r[0][k]))) == 0))"
    " && quantity(string(r[0]['cpu'])).isInteger()"
)

MADE_BY_OTHERS: Final = ("Pod", "ReplicaSet", "ReplicationController")
"""Kinds that may be made by another object, which says how many there are: old ones, and new ones."""

_SCALED: Final = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")

_PODS: Final[Mapping[str, str]] = {
    "home": (
        "variables.is_namespace ? ''"
        " : variables.on_pools ? (variables.pools.size() > 0"
        " && variables.known_pools.size() == variables.pools.size()"
        " && variables.pools.all(p, params.data['pool.' + p + '.home'] == 'metal') ? 'metal' : 'pool')"
        " : variables.home_text == 'metal' ? 'metal' : 'pool'"
    ),
    "accelerators": _asked(_IS_ACCELERATOR),
    "accelerator_count": (
        # What is claimed from a driver (DRA) only the claims tell; it comes on top of what is counted.
        "variables.is_namespace"
        " || variables.accelerators == 0 && variables.spec.?resourceClaims.orValue([]).size() > 0 ? []"
        " : variables.accelerators != 0 || variables.accelerator_type.size() == 0 ? [variables.accelerators]"
        " : [variables.accelerator_count_text].filter(t, t.matches('^-?[0-9]{1,18}$')).map(t, int(t))"
    ),
    "has_accelerators": (
        "!variables.ours ? ''"
        " : variables.pools.size() > 0 && variables.pools.all(p,"
        " params.data[?('pool.' + p + '.accelerators')].orValue('') == 'true') ? 'true' : 'false'"
    ),
    "tolerates": (
        "variables.known_pools.size() == 0 ? ''"
        " : variables.known_pools.exists(p, params.data['pool.' + p + '.taints'].split(' ')"
        f".filter(t, t != '').all(t, {TOLERATED})) ? 'true' : 'false'"
    ),
    "efa": f"{_asked(_IS_ADAPTER)} != 0 ? 'true' : 'false'",
    "pinned": (
        "variables.pinned_carried == 'false' || !variables.requested.all(r, "
        f"{_WHOLE_CORES}) ? 'false' : variables.pinned_carried"
    ),
    "warm_replicas": (
        # A ReplicaSet of a Deployment is an old one of it, or a new one, and has as many as that gives it.
        f"variables.owners.size() > 0 && request.kind.kind in {listing(MADE_BY_OTHERS)} ? []"
        " : request.kind.kind == 'Pod' ? [1]"
        f" : request.kind.kind in {listing(_SCALED)} ? [int(dyn(object).spec.?replicas.orValue(1))] : []"
    ),
    "front_door": (
        f"request.kind.kind in ['CronJob', 'Job'] ? '{FrontDoor.ASYNCHRONOUS}' : variables.front_door_carried"
    ),
    "deadline": (
        "(request.kind.kind == 'CronJob' ? dyn(object).spec.jobTemplate.spec"
        " : request.kind.kind == 'Job' ? dyn(object).spec : dyn({})).?activeDeadlineSeconds"
    ),
    "timeout": (
        "variables.deadline.hasValue() ? [int(variables.deadline.value()) * 1000000000]"
        " : variables.timeout_carried"
    ),
    "timeout_said": (
        "variables.deadline.hasValue() ? string(int(variables.deadline.value())) + 's'"
        " : variables.timeout_text"
    ),
    **{
        fact: f"variables.{fact}_text == '' ? ['{NONE}'] : [variables.{fact}_text]"
        for fact in ("placement_group", "capacity_block_zone")
    },
    "zones": "variables.zones_selected.size() == 1 ? variables.zones_selected : variables.zones_carried",
    "compliance": (
        "variables.is_namespace ? [params.data[?'compliance'].orValue('none')]"
        ".map(t, t == 'none' ? [] : t.split('+')) : variables.compliance_carried"
    ),
    "isolated_namespace": (
        "(variables.is_namespace ? dyn(object) : dyn(namespaceObject))"
        f".metadata.?labels[?'{POD_SECURITY_LABEL}'].orValue('')"
        f" in {listing(ISOLATING_LEVELS)} ? 'true' : 'false'"
    ),
    "reads_elsewhere": (
        "(variables.state.size() == 1 ? variables.state[0] : []).filter(r, variables.zones.size() == 1"
        " && !variables.zones[0].all(z, z in r.split('@')[1].split('+')))"
    ),
}


# -- what annotations carry


def _stated(fact: str) -> str:
    """The text of an annotation, of the object before that of its pods; of a pool before both."""
    name = annotation(fact)
    if FACTS[fact] is str or is_several(fact):
        pieces = (
            f"{listing(_PIECES)}.map(s, string(variables.own[?('{name}' + s)]"
            f".or(variables.inner[?('{name}' + s)]).orValue(''))).join('')"
        )
        # One of still more pieces is not read at all, lest it be read in part.
        more = f"'{name}{_ONE_MORE}'"
        pieces = f"({more} in variables.own || {more} in variables.inner ? '' : {pieces})"
        return _of_pool_first(fact, pieces)
    carried = f"string(variables.own[?'{name}'].or(variables.inner[?'{name}']).orValue(''))"
    return _of_pool_first(fact, carried)


def _of_pool_first(fact: str, carried: str) -> str:
    if fact not in OF_POOL:
        return carried
    told = f"variables.possible_pools.map(p, string(params.data[?('pool.' + p + '.{fact}')].orValue('')))"
    if fact == "zones":
        known = f"[ts.join('+').split('+')].map(ns, {in_order('ns')}.join('+'))[0]"
        worst = ""
    else:
        known = "ts[0]"
        worst = f"'{_WORST.get(fact, 'false')}' in ts ? '{_WORST.get(fact, 'false')}' : "
    return f"[{told}].map(ts, {worst}ts.size() == 0 || '' in ts ? {carried} : {known})[0]"


def is_several(fact: str) -> bool:
    """Whether a fact is a list."""
    return not isinstance(FACTS[fact], type)


def _decoded(name: str) -> str:
    """A text as the fact that it spells; what cannot be read is not known."""
    fact = name.removesuffix("_carried").removesuffix("_")
    kind, text = FACTS[fact], f"variables.{fact}_text"
    if fact == "state":
        return (
            f"[{text}].filter(t, t == '{NONE}' || (t != '' && t.split('/').all(r, r.split('@').size() == 2)))"
            f".map(t, t == '{NONE}' ? [] : t.split('/'))"
        )
    if is_several(fact):
        return f"[{text}].filter(t, t != '').map(t, t == '{NONE}' ? [] : t.split('+'))"
    if issubclass(kind, Quantity):
        return _amount(kind, text)
    if kind is int:
        return f"[{text}].filter(t, t.matches('^-?[0-9]{{1,18}}$')).map(t, int(t))"
    return f"[{text}].filter(t, {_readable(kind)})" + ("" if kind is str else ".join('')")


def _readable(kind: type) -> str:
    if kind is str:
        return "t != ''"
    return f"t in {listing(kind if issubclass(kind, StrEnum) else ('true', 'false'))}"


_FINEST: Final = 10**9
"""Spellings have nine decimals at most."""


def _amount(kind: type[Quantity], text: str) -> str:
    """A quantity in its smallest steps: none where the text spells none.

    The whole and the fraction are worked out each by itself, as their product with the unit may pass 64 bits.
    """
    units = kind.units
    if kind is Share:  # carried without its sign
        text = f"{text} + '%'"
    worth = _table(units)
    fine = _table({unit: steps // math.gcd(steps, _FINEST) for unit, steps in units.items()})
    parts = _table({unit: _FINEST // math.gcd(steps, _FINEST) for unit, steps in units.items()})
    fraction = f"int((p[1] + '0000000000').substring(1, 10)) * {fine}[p[2]]"
    return (
        f"[{text}].filter(t, t.matches('^{kind.pattern.replace(chr(92), chr(92) * 2)}$'))"
        ".map(t, [t.find('^[0-9]+'), t.find('[.][0-9]+'), t.find('[A-Za-z%]+$')])"
        f".filter(p, int(p[0]) <= {kind.maximum} / {worth}[p[2]]"
        f" && (p[1] == '' || ({fine}[p[2]] < {_FINEST * 4} && {fraction} % {parts}[p[2]] == 0)))"
        f".map(p, int(p[0]) * {worth}[p[2]] + (p[1] == '' ? 0 : {fraction} / {parts}[p[2]]))"
        f".filter(n, n <= {kind.maximum})"
    )


def _table(values: Mapping[str, int]) -> str:
    return "{" + ", ".join(f"{quoted(unit)}: {value}" for unit, value in values.items()) + "}"
