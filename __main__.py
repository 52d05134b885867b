"""The Pulumi program: read the stack file, decide where each workload goes, make it so."""

import pulumi

from components.placement import Placements, decide
from components.spec import StackError, load
from components.topology import compose


def main() -> None:
    stack = load(pulumi.Config("halfmetal").require_object("stack"))
    placements = decide(stack)
    _say(placements)
    if stack.policies.config_time:
        placements.raise_if_refused()
    compose(stack, placements, pulumi.get_stack()).export()


def _say(placements: Placements) -> None:
    """One line a workload: its home, and why. What the rules only advise is a warning."""
    for name, placement in sorted(placements.by_name.items()):
        where = "/".join(part for part in (placement.pool and placement.pool.name, placement.zone) if part)
        tail = ", its tail on a function" if placement.twin is not None else ""
        pulumi.log.info(
            f"{name}: {placement.home}{f' {where}' if where else ''}{tail}; {placement.reasons[0]}"
        )
    for finding in placements.findings:
        if not finding.blocks:
            pulumi.log.warn(f"{finding.subject}: {finding.rule}: {finding.reason}; {finding.remedy}")


try:
    main()
except StackError as error:
    # A mistake in the stack file is told in its own words; a traceback would only hide them.
    raise pulumi.RunError(str(error)) from None
