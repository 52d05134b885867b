"""Where each workload belongs: the rules, the facts they read, and the decision. Plain Python, no cloud.

`rules/` holds what is refused and why, `facts.py` what a rule may know, `decision.py` how a home is chosen.
"""

from typing import TYPE_CHECKING

from components.lazily import lazily

if TYPE_CHECKING:
    from components.placement.decision import CONTROL_PLANE, decide, sites_of
    from components.placement.facts import (
        ANNOTATION_PREFIX,
        NONE,
        TAG_PREFIX,
        UNBOUNDED,
        UNRESERVED,
        Facts,
        FrontDoor,
        Platform,
        Role,
        StateRead,
        Tenancy,
    )
    from components.placement.homes import Home
    from components.placement.instances import instance_of
    from components.placement.judging import (
        Answer,
        Enforcement,
        Parameter,
        Rule,
        Severity,
        Threshold,
        Thresholds,
        Verdict,
    )
    from components.placement.placements import Finding, Note, Placement, PlacementError, Placements, Refusal
    from components.placement.rules import RULES
    from components.placement.settings import Override, Setting, Settings, overrides_of, settle
    from components.placement.sites import Candidate, Sites
    from components.placement.waivers import Use, Waived, Waivers
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ANNOTATION_PREFIX",
    "CONTROL_PLANE",
    "NONE",
    "RULES",
    "TAG_PREFIX",
    "UNBOUNDED",
    "UNRESERVED",
    "Answer",
    "Candidate",
    "Enforcement",
    "Facts",
    "Finding",
    "FrontDoor",
    "Home",
    "Note",
    "Override",
    "Parameter",
    "Placement",
    "PlacementError",
    "Placements",
    "Platform",
    "Refusal",
    "Role",
    "Rule",
    "Setting",
    "Settings",
    "Severity",
    "Sites",
    "StateRead",
    "Tenancy",
    "Threshold",
    "Thresholds",
    "Use",
    "Verdict",
    "Waived",
    "Waivers",
    "decide",
    "instance_of",
    "overrides_of",
    "settle",
    "sites_of",
]
