"""A trace as bytes: a file or standard input, gzip or plain, streamed line by line with a report of progress.

Nothing is held but the line being read. A trace is often cut off, by a rotation or because it is still being
written, so whether the last line is whole is part of what is told.
"""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from components.traffic.findings import Finding, TraceError

OnProgress: TypeAlias = Callable[[int, int | None], None]
"""Told the bytes read so far, and how many there are where that is known."""

STDIN: Final = "-"
_CHUNK: Final = 1 << 18
_HEAD: Final = 1 << 16
_LONGEST_LINE: Final = 1 << 24
_WHOLE_AT_MOST: Final = 1 << 28
_GZIP: Final = b"\x1f\x8b"
_OTHER_PACKERS: Final = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
    b"\xfd7zXZ": ("xz", "xz -dc"),
    b"PK\x03\x04": ("zip", "unzip -p"),
}
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file is read for, in words for its errors."""

    what: str = "a request log"
    command: str = "halfmetal profile -"
    """What reads it from standard input."""
    smaller: str = "ask Prometheus for fewer series (sum them) or a larger step"
    """How a document that is too large is had smaller."""


LOG: Final = Wanted()


class _Replayed:
    """A stream of which the first bytes were looked at already."""

    def __init__(self, stream: BinaryIO, head: bytes) -> None:
        self._stream = stream
        self._head = head
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        piece, self._head = self._head, b""
        if not piece:
            piece = self._stream.read(size)
        elif 0 <= size < len(piece):
            piece, self._head = piece[:size], piece[size:]
        self.taken += len(piece)
        return piece


@dataclass
class Source:
    """An open trace."""

    name: str
    size: int | None
    on_progress: OnProgress | None
    wanted: Wanted
    _raw: _Replayed
    _take: Callable[[int], bytes]
    head: bytes = b""
    """Its beginning, unpacked."""
    cut: bool = False
    """Whether the last line had no end."""
    damage: str = ""
    """Why reading ended before the trace did."""
    lines_read: int = 0

    @property
    def sample(self) -> list[str]:
        """The whole lines that it begins with, to tell its format by."""
        lines = self.head.split(b"\n")
        whole = lines if len(self.head) < _HEAD or len(lines) == 1 else lines[:-1]
        return [text for line in whole if (text := _decoded(line))]

    def lines(self) -> Iterator[tuple[int, str]]:
        """Every line that is not empty, with its number."""
        rest = b""
        for chunk in self._chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self.lines_read += 1
                if text := _decoded(line):
                    yield self.lines_read, text
            if len(rest) > _LONGEST_LINE:
                raise TraceError(
                    f"{self.name}: line {self.lines_read + 1} is longer than {_LONGEST_LINE >> 20} MiB",
                    "is it a log at all? each request wants a line of its own",
                )
        if text := _decoded(rest):
            self.cut = True
            self.lines_read += 1
            yield self.lines_read, text

    def whole(self) -> str:
        """All of it as text, for a format that is one document."""
        pieces, size = [], 0
        for chunk in self._chunks():
            pieces.append(chunk)
            size += len(chunk)
            if size > _WHOLE_AT_MOST:
                raise TraceError(
                    f"{self.name}: is larger than {_WHOLE_AT_MOST >> 20} MiB, and must be read as a whole",
                    self.wanted.smaller,
                )
        return _decoded(b"".join(pieces))

    def finding(self) -> Finding | None:
        """What there is to say of how it ended."""
        if not self.damage:
            return None
        return Finding(
            f"the compressed trace {self.damage} after this line; what came before it counts",
            "fetch the file again",
            line=self.lines_read,
        )

    def begin(self) -> None:
        """Unpack the beginning; raises TraceError where it is no text."""
        while len(self.head) < _HEAD and (piece := self._piece(_HEAD - len(self.head))):
            self.head += piece
        if self.head.startswith(_UTF16):
            raise TraceError(f"{self.name}: is UTF-16 text", "save it as UTF-8")
        if b"\0" in self.head:
            raise TraceError(
                f"{self.name}: is a binary file, no text",
                f"name {self.wanted.what}, plain or gzip-compressed",
            )

    def _chunks(self) -> Iterator[bytes]:
        piece = self.head
        while piece:
            yield piece
            if self.on_progress:
                self.on_progress(self._raw.taken, self.size)
            piece = self._piece(_CHUNK)

    def _piece(self, size: int) -> bytes:
        try:
            return b"" if self.damage else self._take(size)
        except EOFError:
            self.damage = "ends too early"
        except (gzip.BadGzipFile, zlib.error):
            self.damage = "is damaged"
        return b""


def opened(
    path: str | Path, on_progress: OnProgress | None = None, wanted: Wanted = LOG
) -> AbstractContextManager[Source]:
    """The trace at `path`, or on standard input for `-`; raises TraceError where it cannot be read."""
    return _Opened(str(path), on_progress, wanted)


class _Opened(AbstractContextManager[Source]):
    def __init__(self, path: str, on_progress: OnProgress | None, wanted: Wanted) -> None:
        self._path = path
        self._wanted = wanted
        self._on_progress = on_progress
        self._file: AbstractContextManager[BinaryIO] = nullcontext(sys.stdin.buffer)

    def __enter__(self) -> Source:
        size = None
        name = "standard input"
        try:
            if self._path != STDIN:
                name = self._path
                size = Path(self._path).stat().st_size
                self._file = Path(self._path).open("rb")
            stream = self._file.__enter__()
            try:
                return self._source(name, size, stream)
            except BaseException:
                self._file.__exit__(None, None, None)
                raise
        except FileNotFoundError:
            raise TraceError(
                f"{name}: does not exist", f"name {self._wanted.what}, or - for standard input"
            ) from None
        except IsADirectoryError:
            raise TraceError(
                f"{name}: is a folder", f"join its files: cat {name}/* | {self._wanted.command}"
            ) from None
        except OSError as error:
            raise TraceError(f"{name}: cannot be read: {error.strerror}", "name a file that can") from None
        except ValueError:
            raise TraceError(
                f"{name!r}: is no path", f"name {self._wanted.what}, or - for standard input"
            ) from None

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(None, None, None)

    def _source(self, name: str, size: int | None, stream: BinaryIO) -> Source:
        magic = stream.read(8)
        packer = next((packer for start, packer in _OTHER_PACKERS.items() if magic.startswith(start)), None)
        if packer:
            raise TraceError(
                f"{name}: is packed with {packer[0]}",
                f"unpack it: {packer[1]} {name} | {self._wanted.command}",
            )
        raw = _Replayed(stream, magic)
        # Piece by piece as it is unpacked: what came before damage is not lost with it.
        packed = magic.startswith(_GZIP)
        take = gzip.GzipFile(fileobj=cast("BinaryIO", raw)).read1 if packed else raw.read
        source = Source(name, size, self._on_progress, self._wanted, raw, take)
        source.begin()
        return source


def _decoded(line: bytes) -> str:
    # A user agent may hold any byte; what matters here is ASCII.
    return line.decode("utf-8", "replace").lstrip("\ufeff").strip()
