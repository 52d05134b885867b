"""Files as text. Only regular files are opened, so that nothing ever waits for a pipe or a device."""

import codecs
import os
import stat
import sys
from pathlib import Path
from typing import Final

from policies.audit.sources.model import Limits

STDIN: Final = "-"
_MAGIC: Final = (
    (
        b"PK\x03\x04",
        "is an archive or a plan of Terraform's own form",
        "terraform show -json FILE > plan.json",
    ),
    (b"\x1f\x8b", "is compressed", "gunzip the file"),
)

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark its own begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class UnreadableError(Exception):
    """A file, or what a program said, that cannot be made sense of."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why, remedy)
        self.why = why
        self.remedy = remedy


def shown(path: Path) -> str:
    """A path as it is shown; what is no text in it is replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_file(path: Path, limits: Limits) -> str:
    """The text of a regular file.

    Raises UnreadableError if it is none, is larger than the limit, is not text, or cannot be opened.
    """
    try:
        # Opening a pipe that nobody writes to would wait for ever. What was opened is then what is checked.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor, which Path cannot open
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableError("is not a regular file", "name a file or a folder of files")
            if status.st_size > limits.file_bytes:
                raise _too_large(limits)
            return decoded(_bounded(file.read(limits.file_bytes + 1), limits))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnreadableError(f"cannot be opened: {reason}", "check the path and its permissions") from error
    except ValueError as error:  # a NUL in the path
        raise UnreadableError("is no path", "name a file or a folder of files") from error


def read_stdin(limits: Limits) -> str:
    """The text of standard input. Raises UnreadableError if it is too large or is not text."""
    if sys.stdin is None or sys.stdin.closed:
        raise UnreadableError("is closed", "pipe a file into the command, or name the file")
    return decoded(_bounded(sys.stdin.buffer.read(limits.file_bytes + 1), limits))


def _bounded(content: bytes, limits: Limits) -> bytes:
    if len(content) > limits.file_bytes:
        raise _too_large(limits)
    return content


def _too_large(limits: Limits) -> UnreadableError:
    return UnreadableError(
        f"is larger than {limits.file_bytes / 2**20:,.0f} MiB", "raise --max-file-size, or split the file"
    )


def decoded(content: bytes) -> str:
    """Bytes as text: UTF-8, or what their byte order mark says. Raises UnreadableError for anything else."""
    for begins, why, remedy in _MAGIC:
        if content.startswith(begins):
            raise UnreadableError(why, remedy)
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in _BYTE_ORDER_MARKS if content.startswith(mark)), (b"", "utf-8")
    )
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"is not {encoding.upper()} (byte {error.start + len(mark):,})", "save the file as UTF-8"
        ) from error
    if "\0" in text:
        raise UnreadableError(
            "holds NUL characters: a binary file, or UTF-16 without its mark", "save the file as UTF-8"
        )
    return text
