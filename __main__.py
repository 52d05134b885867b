"""The Pulumi program: read the stack file, decide where each workload goes, make it so."""

import pulumi

from components import clock
from components.placement import Placements, Use, decide
from components.placement.plan import Plan, planned
from components.placement.plan.summary import lines, summary
from components.spec import StackError, load
from components.topology import compose


def main() -> None:
    stack = load(pulumi.Config("halfmetal").require_object("stack"))
    placements = decide(stack).on(clock.today())
    plan = planned(placements)
    _say(placements, plan)
    if stack.policies.config_time:
        placements.raise_if_refused()
    compose(placements, pulumi.get_stack()).export()
    pulumi.export("plan", summary(plan))


def _say(placements: Placements, plan: Plan) -> None:
    """One line a workload: its home, what it costs and takes there, and why. Advice is a warning."""
    for line in lines(plan):
        pulumi.log.info(line)
    for note in placements.notes:
        pulumi.log.info(f"{note.subject}: {note.message}")
    for waiver, use in placements.waivers:
        if use is not Use.USED:
            pulumi.log.warn(f"{waiver.subject}: {use.of(waiver)}")
    for finding in placements.findings:
        if not finding.blocks:
            pulumi.log.warn(f"{finding.subject}: {finding.says}; {finding.remedy}")


try:
    main()
except StackError as error:
    # A mistake in the stack file is told in its own words; a traceback would only hide them.
    raise pulumi.RunError(str(error)) from None
