"""What keeps a stack's namespace to the placement rules once the stack is deployed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes import admissionregistration, core

from components.admission.defaulting import DEFAULTS
from components.admission.manifests import MODES, Names, binding, configs, defaulting, own_namespace
from components.admission.parameters import Governed
from components.admission.policies import Manifest, policies
from components.base import Component


@dataclass(frozen=True)
class AdmissionArgs:
    """Which namespace, and what it is kept to."""

    names: Names
    governed: Governed


class Admission(Component):
    """The rules as policies of the API server, in one namespace.

    Creates: a namespace of its own, in which nothing runs, and in it two ConfigMaps with the stack's figures;
    for each rule that can refuse something in a cluster a ValidatingAdmissionPolicy, bound once to refuse and
    once to warn; where pods are given what their pool implies, a MutatingAdmissionPolicy and its binding.

    The bindings come last and go first: a binding without parameters refuses everything. A policy comes after
    the figures, so that one that asks for a new threshold finds it, and goes before them. What is in the
    namespace comes after the bindings and goes before.
    """

    def __init__(self, name: str, args: AdmissionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._names = args.names
        configured = self._create_parameters(args.governed)
        self._bindings = [
            *self._create_rules(configured),
            *(self._create_defaults(configured) if args.governed.defaults else ()),
        ]
        self.register_outputs({})

    @property
    def bindings(self) -> list[pulumi.Resource]:
        """What is in effect once these exist."""
        return self._bindings

    def _create_parameters(self, governed: Governed) -> list[pulumi.Resource]:
        space = core.v1.Namespace(
            self.child("namespace"), **_body(own_namespace(self._names)), opts=self.options()
        )
        return [
            core.v1.ConfigMap(
                self.child(f"figures-{mode}"), **_body(config), opts=self.options(depends_on=[space])
            )
            for mode, config in configs(self._names, governed).items()
        ]

    def _create_rules(self, configured: list[pulumi.Resource]) -> Iterator[pulumi.Resource]:
        v1 = admissionregistration.v1
        for rule, policy in policies().items():
            made = v1.ValidatingAdmissionPolicy(
                self.child(rule),
                **_body(policy.manifest(self._names.policy(rule))),
                opts=self.options(depends_on=configured),
            )
            for mode in MODES:
                yield v1.ValidatingAdmissionPolicyBinding(
                    self.child(f"{rule}-{mode}"),
                    **_body(binding(self._names, rule, mode)),
                    opts=self.options(depends_on=[made]),
                )

    def _create_defaults(self, configured: list[pulumi.Resource]) -> list[pulumi.Resource]:
        policy, bound = defaulting(self._names)
        v1 = admissionregistration.v1
        made = v1.MutatingAdmissionPolicy(
            self.child(DEFAULTS), **_body(policy), opts=self.options(depends_on=configured)
        )
        return [
            v1.MutatingAdmissionPolicyBinding(
                self.child(f"{DEFAULTS}-bound"),
                **_body(bound),
                opts=self.options(depends_on=[made]),
            )
        ]


def _body(manifest: Manifest) -> Mapping[str, Any]:
    """What a manifest says, beside the kind that its class is of."""
    return {name: value for name, value in manifest.items() if name not in ("apiVersion", "kind")}
