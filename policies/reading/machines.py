"""What instance types are: their accelerators, and whether a machine is all one's own."""

from typing import Any, Final

from components.catalog import InstanceType
from components.catalog import load as load_catalog
from components.placement import Home, Tenancy
from policies.reading.bags import UNKNOWN
from policies.reading.draft import Draft

OF_TYPE: Final = ("accelerator_type", "accelerator_count", "tenancy", "home")
"""The facts that an instance type may give."""

_BARE_METAL: Final = ".metal"
"""In the name of every type that has no hypervisor, and of no other."""


def read_machines(draft: Draft, types: list[Any]) -> None:
    """What nodes are that may be of any of these types; nothing of none, or where they differ.

    Of a type that the catalog does not know, only its name tells something.
    """
    if not types:
        return
    names = [name for name in types if isinstance(name, str)]
    if len(names) == len(types):
        _read_accelerators(draft, [load_catalog().instance_types.get(name) for name in names])
    elif UNKNOWN in types:
        draft.set_missing("accelerator_count", UNKNOWN)
    is_metal = {_BARE_METAL in name for name in names}
    if is_metal == {True} and len(names) == len(types):
        draft.set("tenancy", Tenancy.BARE_METAL)
        draft.set_missing("home", Home.METAL)


def _read_accelerators(draft: Draft, types: list[InstanceType | None]) -> None:
    known = [each for each in types if each is not None]
    if len(known) < len(types):
        return
    fitted = {
        (each.accelerators.type, each.accelerators.count) if each.accelerators else None for each in known
    }
    if fitted == {None}:
        draft.set("accelerator_count", 0)
    elif len(fitted) == 1 and known[0].accelerators is not None:
        draft.set("accelerator_type", known[0].accelerators.type)
        draft.set("accelerator_count", known[0].accelerators.count)
