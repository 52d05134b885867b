"""The choice as a change of the stack file: home, pool, replicas, the queue before a twin, nodes for them.

What one workload cannot say for a stack is told instead of written: its topology, which is that of all of its
workloads, and how many copies a reserved function holds, which follows from traffic.
"""

from collections.abc import Iterator

from cli.changes import Change, Edit
from cli.replay.question import Question
from cli.traces import Target
from components.placement.bounds import warm_copies
from components.placement.homes import Home
from components.placement.options import NodesOption
from components.placement.replay import Replay, Trial
from components.spec import Pool
from sandbox.errors import SandboxError


def change_of(target: Target, asked: Question, answer: Replay) -> Change:
    """The choice in the stack file; SandboxError where there is none, StackError where it cannot be there."""
    if answer.choice is None or answer.choice.trial is None:
        raise SandboxError(
            f"nothing to write: no way to run {asked.workload.name} holds {answer.budget}",
            "allow more time with --budget, or leave out --write",
        )
    trial = answer.choice.trial
    edits = list(_edits(target, asked, trial))
    by_hand = "\n".join(f"{_place(edit)}: {_spelled(edit)}" for edit in edits)
    return Change.of(target, edits, by_hand=by_hand, because="with what was chosen")


def not_written(asked: Question, answer: Replay) -> Iterator[str]:
    """What of the choice a stack file does not say."""
    trial = answer.choice.trial if answer.choice is not None else None
    if trial is None:
        return
    topology = trial.way.side.topology
    if topology != asked.stack.topology:
        yield f"topology stays {asked.stack.topology}: what is chosen was played, and priced, as {topology}"
    held = warm_copies(asked.workload)
    if trial.option.home is Home.RESERVED_FUNCTION and held != trial.size.count:
        yield (
            f"a reserved function holds as many copies as its traffic keeps busy at its peak, {held} by this"
            f" log, and not {trial.size.count}"
        )


def _edits(target: Target, asked: Question, trial: Trial) -> Iterator[Edit]:
    option, way = trial.option, trial.way
    place = ("workloads", target.index, "placement")
    if isinstance(option, NodesOption):
        yield Edit(place, {"home": str(option.home), "pool": way.pool, "replicas": option.replicas})
    else:
        # What is said of pods is refused with a function.
        yield Edit(place, {"home": str(option.home), "pool": None, "replicas": None, "max_concurrency": None})
    if trial.size.queue is not None:
        yield Edit((*place, "twin"), {"queue": trial.size.queue})
    elif asked.workload.placement.twin is not None:
        yield Edit(place, {"twin": None})
    if isinstance(option, NodesOption) and not option.shared:
        yield from _nodes(asked, option, way.pool)


def _nodes(asked: Question, option: NodesOption, name: str | None) -> Iterator[Edit]:
    """Nodes enough, where nobody else has a part in them."""
    pools: tuple[Pool, ...] = asked.stack.data_plane.pools if asked.stack.data_plane is not None else ()
    for index, pool in enumerate(pools):
        if pool.name == name and pool.nodes.max < option.nodes:
            yield Edit(
                ("data_plane", "pools", index, "nodes"), {"desired": option.nodes, "max": option.nodes}
            )


def _place(edit: Edit) -> str:
    return (
        "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in edit.path).strip(".")
        or "stack"
    )


def _spelled(edit: Edit) -> str:
    return ", ".join(f"{key}: {value}" for key, value in edit.values.items() if value is not None)
