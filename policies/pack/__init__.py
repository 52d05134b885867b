"""The rules as a CrossGuard pack: `policies` makes the policies, `stack` reads what a stack changes."""

from policies.pack.policies import ACROSS, ADVICE, NAME, SUMMARY, UNDECIDED, policies

__all__ = ["ACROSS", "ADVICE", "NAME", "SUMMARY", "UNDECIDED", "policies"]
