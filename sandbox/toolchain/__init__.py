"""The programs that the sandbox runs: found on this machine, or made once and kept in the user's cache.

    toolchain = ensure(["engine", "emulator"], progress)
    toolchain.path("pulumi")

`ensure` is the whole interface; `provision` explains how it goes about it, `store` how the
cache stays whole, `modules` what is built.
"""

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.programs import Located, Toolchain
from sandbox.toolchain.provision import ensure, prune
from sandbox.toolchain.recipes import GROUPS, Group, Source

__all__ = ["GROUPS", "Group", "Located", "Source", "Toolchain", "ToolchainError", "ensure", "prune"]
