"""A function's answer does not wait for its log.

AWS: the answer goes out when the handler returns it; the log follows.
ministack: keeps the answer of a function that logged nothing back for 50 ms, in case a line is still to come.
That is several times what a small function takes.

A line that comes even later than the wait set here is told with the function's next answer.
"""

from functools import partialmethod
from typing import Final

from ministack.core.lambda_runtime import Worker

# What the handler wrote before it returned is in the pipe by then; its reader needs a moment to be scheduled.
_WAIT_S: Final = 0.005


def apply() -> None:
    """Wait for a first line only this long."""
    Worker._drain_stderr_bounded = partialmethod(Worker._drain_stderr_bounded, first_line_wait=_WAIT_S)
