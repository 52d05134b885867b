"""What can go wrong while the toolchain is made ready."""

from sandbox.errors import SandboxError


class ToolchainError(SandboxError):
    """A program of the toolchain cannot be had: what failed, what to do, and the end of its output."""


class Stopped(BaseException):
    """Another part failed or the user pressed Ctrl-C: this part ends without a word of its own.

    Not an `Exception`, so that nothing that handles faults takes it for one.
    """
