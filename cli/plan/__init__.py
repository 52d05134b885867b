"""`halfmetal plan`: where each workload goes, why, at what cost and latency, and what else there was.

The command asks for the plan once; each other module here shows it in one form.
"""

from cli.plan.command import plan

__all__ = ["plan"]
