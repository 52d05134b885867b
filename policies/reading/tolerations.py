"""Whether pods get onto nodes: what is kept off them, and what the pods tolerate."""

from collections.abc import Iterable
from typing import Any, Final

from policies.reading.bags import ABSENT, UNKNOWN, fetch, items

_EFFECTS: Final = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute"}
"""The effects that keep pods off, as EKS writes them. The third one only prefers others."""


def tolerates(taints: object, tolerations: Iterable[object]) -> bool | None:
    """Whether lists of tolerations, taken together, let pods onto an EKS node group with these taints.

    None where it is not known.
    """
    lists = list(tolerations)
    if UNKNOWN in (taints, *lists):
        return None
    tolerated = [toleration for several in lists for toleration in items(several)]
    answers = [_is_tolerated(taint, tolerated) for taint in items(taints)]
    return False if False in answers else None if None in answers else True


def _is_tolerated(taint: object, tolerations: list[Any]) -> bool | None:
    key, value, effect = (fetch(taint, name) for name in ("key", "value", "effect"))
    if effect is not UNKNOWN and not (isinstance(effect, str) and effect in _EFFECTS):
        return True
    answers = [_matches(key, value, effect, toleration) for toleration in tolerations]
    if True in answers:
        return True
    return None if None in answers or UNKNOWN in (key, value, effect) else False


def _matches(key: object, value: object, effect: object, toleration: object) -> bool | None:
    wanted = [fetch(toleration, name) for name in ("key", "operator", "value", "effect")]
    if UNKNOWN in (*wanted, key, value, effect):
        return None
    of_key, operator, of_value, of_effect = wanted
    exists = operator == "Exists"
    same_key = of_key == key or (exists and of_key in (ABSENT, ""))
    same_value = exists or _text(of_value) == _text(value)
    return same_key and same_value and of_effect in (ABSENT, "", _EFFECTS[str(effect)])


def _text(value: object) -> object:
    return "" if value is ABSENT else value
