"""A stack file changed in place: the change is shown, and written whole or not at all."""

from __future__ import annotations

import difflib
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from sandbox.errors import SandboxError
from sandbox.files import write_atomically

if TYPE_CHECKING:
    from rich.console import Console

    from cli.traces import Target
    from components.spec import StackFile


@dataclass(frozen=True)
class Edit:
    """Keys of one mapping of the stack; None removes one."""

    path: tuple[str | int, ...]
    """From the stack on, like `workloads`, 0, `traffic`."""
    values: Mapping[str, object | None]


@dataclass(frozen=True)
class Change:
    """What a stack file says now, and what it is to say."""

    path: Path
    before: str
    after: str
    workload: str | None = None
    """The one that the change is of, where it is of one."""

    @classmethod
    def of(cls, target: Target, edits: Iterable[Edit], *, by_hand: str, because: str) -> Change:
        """The change of one workload; see `of_file`."""
        name = target.workload.name
        change = cls.of_file(
            target.file, edits, by_hand=by_hand, because=because, path=target.path, subject=name
        )
        return replace(change, workload=name)

    @classmethod
    def of_file(  # noqa: PLR0913 - each is a part of what is said where it cannot be
        cls,
        file: StackFile,
        edits: Iterable[Edit],
        *,
        by_hand: str,
        because: str,
        path: str = "",
        subject: str = "",
    ) -> Change:
        """The change; StackError where it cannot be made, or would leave the stack file wrong.

        `by_hand` is what to write where the file's layout does not allow it, `because` what a value that is
        wrong then comes from; `path` and `subject` are what such an error is about.
        """
        from components.spec import Problem, StackError
        from components.spec.editing import NotEditableError, edited
        from components.spec.source import PROJECT

        before = after = file.path.read_bytes().decode()
        root = ("config", f"{PROJECT}:stack")
        try:
            for edit in edits:
                after = edited(after, (*root, *edit.path), edit.values)
        except NotEditableError as error:
            spelled = by_hand.replace("\n", "\n      ").rstrip()
            raise StackError(
                [
                    Problem(
                        path,
                        None,
                        f"cannot be edited in place: {error}",
                        f"write it by hand:\n      {spelled}",
                        subject=subject,
                        location=file.locate(path) if path else "",
                    )
                ]
            ) from None
        _validate(after, root, because)
        return cls(file.path, before, after)

    @property
    def changes(self) -> bool:
        """Whether the file does not say so already."""
        return self.after != self.before

    @property
    def diff(self) -> list[str]:
        """The change as a unified diff."""
        name = str(self.path)
        lines = (self.before.splitlines(), self.after.splitlines())
        return list(difflib.unified_diff(*lines, name, name, lineterm="", n=2))

    def write(self, *, shown: str = "with --dry-run") -> None:
        """Put the file in place as a whole, or not at all; `shown` is how to see the change only."""
        if not self.changes:
            return
        try:
            file = self.path.resolve()
            write_atomically(file, self.after, mode=stat.S_IMODE(file.stat().st_mode))
        except OSError as error:
            raise SandboxError(
                f"{self.path}: cannot be written: {error.strerror}",
                f"allow it to be written, or see the change {shown}",
            ) from None

    def show(self, console: Console, *, written: bool) -> None:
        """The diff, or that there is none."""
        name = self.path
        console.print()
        if not self.changes:
            console.print(Text(f"{name} says so already"), soft_wrap=True)
            return
        styles = {"+": "green", "-": "red", "@": "cyan"}
        for line in self.diff:
            console.print(Text(line, styles.get(line[:1], "")), soft_wrap=True)
        console.print(Text(f"\n{'wrote' if written else 'would write'} {name}"), soft_wrap=True)

    def as_json(self, *, written: bool) -> dict[str, object]:
        """The change as plain JSON values."""
        return {
            "file": str(self.path),
            **({"workload": self.workload} if self.workload is not None else {}),
            "changed": self.changes,
            "written": self.changes and written,
            "diff": "\n".join(self.diff),
        }


def _validate(text: str, root: tuple[str, str], because: str) -> None:
    """That the stack file is right then; StackError where it is not."""
    from components.spec import StackError, load
    from components.spec.yaml_source import read as read_yaml

    try:
        load(read_yaml(text).value[root[0]][root[1]])
    except StackError as error:
        problems = [
            replace(problem, message=f"{problem.message} ({because}; nothing was written)")
            for problem in error.problems
        ]
        raise StackError(problems) from None
