"""What pods are given where they do not say otherwise: what the pool that they select leaves no choice of.

A pod that asks for a GPU and selects a pool of them can only mean to tolerate what keeps others off; one that
selects a pool of one zone can only be in that zone, and says so for whoever reads it. Nothing that is stated
is changed, and other taints of a pool are left: whoever set them did not mean everybody who needs a GPU.
"""

from typing import Any, Final

from components.admission.policies import IS_NEW, STAYS, as_objects, resources
from components.admission.reading import TOLERATED, used, variables
from components.placement.labels import ZONE_LABEL
from components.placement.taints import GPU_TAINT

DEFAULTS: Final = "pool-defaults"
"""What the policy is called, among those that are called after a rule."""

_TAINT: Final = f"{GPU_TAINT.key}={GPU_TAINT.value}:{GPU_TAINT.effect}"
_TOLERATION: Final = (
    f"{{'key': '{GPU_TAINT.key}', 'operator': 'Equal', 'value': '{GPU_TAINT.value}',"
    f" 'effect': '{GPU_TAINT.effect}'}}"
)

_LACKS_TOLERATION: Final = (
    "variables.pool != '' && variables.accelerators > 0"
    f" && '{_TAINT}' in params.data['pool.' + variables.pool + '.taints'].split(' ')"
    f" && ['{_TAINT}'].all(t, !{TOLERATED})"
)
_ZONE: Final = (
    "variables.pool != '' && variables.zones_selected.size() == 0"
    " ? params.data[?('pool.' + variables.pool + '.zones')].orValue('').split('+').filter(z, z != '') : []"
)
_MUTATIONS: Final = (
    "(variables.lacks_toleration ? [has(variables.spec.tolerations)"
    f" ? JSONPatch{{op: 'add', path: variables.pods_path + '/tolerations/-', value: {_TOLERATION}}}"
    f" : JSONPatch{{op: 'add', path: variables.pods_path + '/tolerations', value: [{_TOLERATION}]}}] : [])"
    " + (variables.pool_zones.size() == 1 ? [has(variables.spec.nodeSelector)"
    f" ? JSONPatch{{op: 'add', path: variables.pods_path + '/nodeSelector/{ZONE_LABEL.replace('/', '~1')}',"
    " value: variables.pool_zones[0]}"
    " : JSONPatch{op: 'add', path: variables.pods_path + '/nodeSelector',"
    f" value: {{'{ZONE_LABEL}': variables.pool_zones[0]}}}}] : [])"
)


def defaults_policy(name: str) -> dict[str, Any]:
    """The policy, under a name that its stack alone uses."""
    own = {"lacks_toleration": _LACKS_TOLERATION, "pool_zones": _ZONE}
    texts = " ".join((*own.values(), _MUTATIONS))
    facts = variables(sorted({each for each in used(texts) if each not in own}))
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "Never",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {
                "resourceRules": [
                    resources("apps", ["daemonsets", "deployments", "replicasets", "statefulsets"]),
                    resources("batch", ["cronjobs"]),
                    # The pods of these are what they are from the beginning.
                    resources("batch", ["jobs"], updated=False),
                    resources("", ["pods"], updated=False),
                ]
            },
            "matchConditions": [STAYS, {"name": "has-other-pods", "expression": IS_NEW}],
            "variables": [
                *as_objects(facts),
                *({"name": each, "expression": text} for each, text in own.items()),
            ],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": _MUTATIONS}}],
        },
    }
