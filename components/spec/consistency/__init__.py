"""What no field can check alone: whether the parts of a stack fit each other.

Each check looks at the stack or one item of it and yields the problems it sees. It may be given a draft,
parts of which are unknown; a check that needs such a part stops there (see `draft`), and all others still
run.
"""

from collections.abc import Callable, Iterator, Sequence

from components.spec.consistency import pools, stores, whole, workloads
from components.spec.consistency.saying import At, ItemCheck, NamedT, Problems
from components.spec.data_plane import Pool
from components.spec.draft import Undecided
from components.spec.errors import Problem
from components.spec.places import inside
from components.spec.stack import Stack


def inconsistencies(stack: Stack) -> Iterator[Problem]:
    """Every way in which the parts of `stack` do not fit each other."""
    for check in whole.CHECKS:
        yield from _decided(check(stack, At()))
    yield from _of_each(stack, lambda: stack.state, "state", stores.CHECKS)
    yield from _of_each(stack, lambda: _pools(stack), "data_plane.pools", pools.CHECKS)
    yield from _of_each(stack, lambda: stack.workloads, "workloads", workloads.CHECKS)


def _pools(stack: Stack) -> Sequence[Pool]:
    return stack.data_plane.pools if stack.data_plane is not None else ()


def _of_each(
    stack: Stack,
    items: Callable[[], Sequence[NamedT]],
    path: str,
    checks: Sequence[ItemCheck[NamedT]],
) -> Problems:
    try:
        numbered = list(enumerate(items()))
    except Undecided:
        return
    for at, item in numbered:
        for check in checks:
            yield from _decided(check(stack, item, At(inside(path, at))))


def _decided(problems: Problems) -> Problems:
    """The problems that were seen before something unknown was met."""
    try:
        yield from problems
    except Undecided:
        return
