"""One audit with everything in it: what fits, is refused, advised against, undecided, waived, and unread."""

import datetime
from pathlib import Path

from components.catalog import for_stack, load
from components.placement import Waivers, overrides_of, settle
from components.spec import load_file
from policies.audit.findings import Audit, Terms, audit
from policies.audit.outcome import Outcome
from policies.audit.plan import plan
from policies.audit.sources import gather

FOLDER = Path(__file__).parent / "mixed"
SOURCES = ("state.json", "workloads.yaml", "chart.yaml")
STACK = "./Pulumi.mixed.yaml"
TODAY = datetime.date(2026, 11, 25)


def terms() -> Terms:
    """What the example is held against; asked for in its folder, as all here."""
    stack = load_file(Path(STACK))
    catalog = for_stack(load(), stack)
    return Terms(
        settle(catalog, overrides_of(stack.policies)),
        Waivers(stack.policies.waivers, TODAY),
        catalog,
        stack.region,
        stack.control_plane.guardrails,
    )


def mixed() -> Audit:
    """What is found."""
    against = terms()
    return audit(gather(SOURCES), against.settings, against.waivers)


def planned() -> Outcome:
    """What is found, with what would clear it."""
    against, gathered = terms(), gather(SOURCES)
    found = audit(gathered, against.settings, against.waivers)
    return Outcome(found, plan=plan(found.findings, gathered, against))
