"""The programs, once they are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.recipes import Source


@dataclass(frozen=True)
class Located:
    """One program: where it is, and where it came from."""

    path: Path
    source: Source


@dataclass(frozen=True)
class Toolchain:
    """The programs of the groups that were asked for."""

    programs: Mapping[str, Located]
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes that each group takes in the cache; a group that the machine has itself is not in it."""

    def path(self, name: str) -> Path:
        """Where a program is. Raises ToolchainError if its group was not asked for."""
        return self._located(name).path

    def find(self, name: str) -> Path | None:
        """Where a program is, or None: for those that only an official release has."""
        located = self.programs.get(name)
        return located.path if located else None

    def source(self, name: str) -> Source:
        """`official` (Pulumi's release), `system` (installed here), `built` or `fetched` (in our cache)."""
        return self._located(name).source

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        programs = {
            name: {"path": str(located.path), "source": located.source}
            for name, located in self.programs.items()
        }
        return {"programs": programs, "bytes": dict(self.sizes)}

    def _located(self, name: str) -> Located:
        if name not in self.programs:
            there = ", ".join(self.programs) or "nothing"
            raise ToolchainError(
                f"the program {name} is not part of this toolchain ({there})",
                "ask `sandbox.toolchain.ensure` for its group",
            )
        return self.programs[name]
