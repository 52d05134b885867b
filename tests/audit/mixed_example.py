"""One audit with everything in it: what fits, is refused, advised against, undecided, waived, and unread."""

import datetime
from pathlib import Path

from components.catalog import for_stack, load
from components.placement import Waivers, overrides_of, settle
from components.spec import load_file
from policies.audit.findings import Audit, audit
from policies.audit.sources import gather

FOLDER = Path(__file__).parent / "mixed"
SOURCES = ("state.json", "workloads.yaml", "chart.yaml")
STACK = "./Pulumi.mixed.yaml"
TODAY = datetime.date(2026, 11, 25)


def mixed() -> Audit:
    """The audit of the example, asked for in its folder."""
    stack = load_file(Path(STACK))
    settings = settle(for_stack(load(), stack), overrides_of(stack.policies))
    return audit(gather(SOURCES), settings, Waivers(stack.policies.waivers, TODAY))
