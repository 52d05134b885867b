"""`halfmetal audit`: the placement rules over what is already there.

What is found and how it is told is `policies.audit`'s; here it is asked for, shown and written.
"""

from cli.audit.command import audit

__all__ = ["audit"]
