"""The rules as a CrossGuard pack.

`policies` declares them, `judge` finds what they report, `stack` and `configured` are what changes them,
`wire` stands between the engine and the SDK, `remediation` clears what can be cleared safely.
"""

from policies.pack.policies import ACROSS, ADVICE, NAME, SUMMARY, UNDECIDED, WAIVED, Pack
from policies.pack.stack import Said

__all__ = ["ACROSS", "ADVICE", "NAME", "SUMMARY", "UNDECIDED", "WAIVED", "Pack", "Said"]
