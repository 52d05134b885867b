"""What every component of halfmetal has in common.

Three rules are kept by code, not by review. The type token follows from where the class lives. The name of
everything a component makes begins with the component's own name. And outputs are registered exactly once,
at the end, or the engine would show the component as still being made.

There is one escape hatch: a `Transform` given to a topology sees every resource's type, name and properties
before it is registered, and may return other properties.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pulumi

Transform: TypeAlias = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any] | None]
"""(type token, name, properties) → the properties to use instead, or None to leave them as they are."""


class ComponentError(Exception):
    """A component that breaks a rule of this module: a bug of the program, not of the stack file."""


class Component(pulumi.ComponentResource):
    """Base of every component."""

    def __init__(
        self, name: str, opts: pulumi.ResourceOptions | None = None, transform: Transform | None = None
    ) -> None:
        hooks = [_named_after(name)] if transform is None else [_named_after(name), _applied(transform)]
        merged = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=hooks))
        super().__init__(self.type_token(), name, None, merged)
        self.name = name

    @classmethod
    def type_token(cls) -> str:
        """`halfmetal:<module>:<Name>`, the module being the folder of `components` that it lives in."""
        return f"halfmetal:{cls.__module__.split('.')[1]}:{cls.__name__}"

    def child(self, suffix: str) -> str:
        """Name of something that this component makes."""
        return f"{self.name}-{suffix}"

    def options(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of something that this component makes."""
        return pulumi.ResourceOptions(parent=self, **options)


def _named_after(owner: str) -> pulumi.ResourceTransformation:
    def check(made: pulumi.ResourceTransformationArgs) -> None:
        if made.name != owner and not made.name.startswith(f"{owner}-"):
            raise ComponentError(
                f"{made.type_} {made.name}: is made in {owner}, so its name begins with {owner}-"
            )

    return check


def _applied(transform: Transform) -> pulumi.ResourceTransformation:
    def apply(made: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        props = transform(made.type_, made.name, made.props)
        return (
            None if props is None else pulumi.ResourceTransformationResult(props=dict(props), opts=made.opts)
        )

    return apply
