"""All that a stack has in the API server to keep its rules there, as manifests.

Every name carries the namespace that is governed, so that two stacks in one cluster never share an object.
The parameters are in a namespace of their own: who may edit ConfigMaps beside the models may not edit the
rules that these are held to, and when the models' namespace goes, the parameters are still there for whatever
in it goes last.
"""

from dataclasses import dataclass
from typing import Any, Final

from components.admission.defaulting import DEFAULTS, defaults_policy
from components.admission.parameters import Governed, parameters
from components.admission.policies import DENY, MODE, WARN, Manifest, policies
from components.naming import fitted

_NAME_AT_MOST: Final = 63
_LABELS: Final = {"app.kubernetes.io/managed-by": "halfmetal"}

MODES: Final = {DENY: ["Deny", "Audit"], WARN: ["Warn", "Audit"]}
"""The parameters that a binding is asked with, and what it does with a failure."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a stack's objects, all after the namespace that is governed."""

    namespace: str

    @property
    def own_namespace(self) -> str:
        """Where the parameters are."""
        suffix = "-admission"
        return fitted(self.namespace, _NAME_AT_MOST - len(suffix)) + suffix

    def policy(self, rule: str) -> str:
        return f"{self.namespace}.{rule}"

    def binding(self, rule: str, mode: str) -> str:
        return f"{self.policy(rule)}.{mode}"


def manifests(names: Names, governed: Governed) -> list[Manifest]:
    """Everything, each after what it rests on."""
    return [
        own_namespace(names),
        *configs(names, governed).values(),
        *(policy.manifest(names.policy(rule)) for rule, policy in policies().items()),
        *(binding(names, rule, mode) for rule in policies() for mode in MODES),
        *(defaulting(names) if governed.defaults else ()),
    ]


def defaulting(names: Names) -> tuple[Manifest, Manifest]:
    """The policy that gives pods what their pool implies, and its binding."""
    bound = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": names.policy(DEFAULTS), "labels": _LABELS},
        "spec": {
            "policyName": names.policy(DEFAULTS),
            # Without parameters nothing is given; what is then missing is refused with a reason.
            "paramRef": {
                "name": WARN,
                "namespace": names.own_namespace,
                "parameterNotFoundAction": "Allow",
            },
            "matchResources": {"namespaceSelector": _selector(names)},
        },
    }
    return defaults_policy(names.policy(DEFAULTS)), bound


def own_namespace(names: Names) -> Manifest:
    """The namespace of the parameters, in which nothing runs."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": names.own_namespace, "labels": _LABELS},
    }


def configs(names: Names, governed: Governed) -> dict[str, Manifest]:
    """The parameters, by mode."""
    data = parameters(governed)
    return {mode: _config(names, mode, data) for mode in MODES}


def _config(names: Names, mode: str, data: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": mode, "namespace": names.own_namespace, "labels": _LABELS},
        "data": {MODE: mode, **data},
    }


def binding(names: Names, rule: str, mode: str) -> Manifest:
    """A policy bound to the namespace, with the parameters of a mode."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": names.binding(rule, mode), "labels": _LABELS},
        "spec": {
            "policyName": names.policy(rule),
            "paramRef": {
                "name": mode,
                "namespace": names.own_namespace,
                "parameterNotFoundAction": "Deny",
            },
            "matchResources": {"namespaceSelector": _selector(names)},
            "validationActions": MODES[mode],
        },
    }


def _selector(names: Names) -> dict[str, Any]:
    # A label that the API server itself sets, and nobody can take off.
    return {"matchLabels": {"kubernetes.io/metadata.name": names.namespace}}
