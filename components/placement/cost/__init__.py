"""What each way to run a workload costs a month, and how busy a machine must be to be the cheaper way.

`cost` prices one option line by line, `break_even` says where two of them cross, `claims` puts what an
article says of such things beside what comes out today. `compare` is for charts: one option beside several.
"""

from typing import TYPE_CHECKING

from components.lazily import lazily

if TYPE_CHECKING:
    from components.placement.cost.article import ARTICLE, Claim, Reckoned, claims
    from components.placement.cost.comparison import Comparison, Level, compare
    from components.placement.cost.crossings import BreakEven, Crossing, Point, break_even, compared
    from components.placement.cost.lines import Bill, Cost, Line
    from components.placement.cost.platform import COMPUTE_ONLY, Platform, platform_of
    from components.placement.cost.pricing import at_rate, at_utilization, bill, cost, replicas_for, standing
    from components.placement.cost.span import Contender, Span, contender
    from components.placement.cost.spill import Hold, blocked, peakedness
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ARTICLE",
    "COMPUTE_ONLY",
    "Bill",
    "BreakEven",
    "Claim",
    "Comparison",
    "Contender",
    "Cost",
    "Crossing",
    "Hold",
    "Level",
    "Line",
    "Platform",
    "Point",
    "Reckoned",
    "Span",
    "at_rate",
    "at_utilization",
    "bill",
    "blocked",
    "break_even",
    "claims",
    "compare",
    "compared",
    "contender",
    "cost",
    "peakedness",
    "platform_of",
    "replicas_for",
    "standing",
]
