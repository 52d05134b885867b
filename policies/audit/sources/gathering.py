"""From what a person names to resources: each source is opened, told by its content, and read.

What a person names and that is no source is an error, told before anything is judged. What is found beside
others, in a folder or among documents, is never in their way: it is unread, or passed over.
"""

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as FilePath
from re import compile as pattern
from types import MappingProxyType
from typing import Final

from policies.audit.sources import (
    cloudformation,
    kubernetes,
    pulumi_state,
    sam,
    serverless,
    terraform_plan,
    terraform_state,
)
from policies.audit.sources.documents import Document, Reader
from policies.audit.sources.files import STDIN, UnreadableError, read_file, read_stdin, shown
from policies.audit.sources.folders import LinkOut, unread, walk
from policies.audit.sources.json_text import load, loads
from policies.audit.sources.model import CLUSTER, STACK, Gathered, Kind, Limits, SourceError, Unread
from policies.audit.sources.places import Lines, Path
from policies.audit.sources.programs import HELM_TEMPLATE, known_by
from policies.resources import Location, Resource

_WHAT_IS_READ: Final = (
    "name a Pulumi state, a Terraform state or plan (terraform show -json), a CloudFormation or SAM "
    "template, a Serverless Framework file or Kubernetes manifests"
)
_CORRECT: Final = "correct it there: the other documents of the file were read"
_TEMPLATE: Final = "{{"
_JSON: Final = (".json", ".tfstate")
_TOLD_OF_A_FILE: Final = 100
_SHORT: Final = 2**20
"""Text that begins like JSON, is none, and is tried as YAML, which a mapping in braces may be."""
_MAY_BE_ONE: Final = pattern(
    r"apiVersion|[rR]esources|checkpoint|deployment|planned_values|functions|AWSTemplateFormatVersion"
)
"""A word that every document that is read has; a broken file without any of them is nobody's loss."""

READERS: Final = (
    Reader(Kind.PULUMI, pulumi_state.is_one, pulumi_state.read),
    Reader(Kind.TERRAFORM_PLAN, terraform_plan.is_one, terraform_plan.read),
    Reader(Kind.TERRAFORM_STATE, terraform_state.is_one, terraform_state.read),
    Reader(Kind.KUBERNETES, kubernetes.is_one, kubernetes.read),
    Reader(Kind.SAM, sam.is_one, sam.read),
    Reader(Kind.CLOUDFORMATION, cloudformation.is_one, cloudformation.read),
    Reader(Kind.SERVERLESS, serverless.is_one, serverless.read),
)


def gather(sources: Sequence[str], limits: Limits | None = None) -> Gathered:
    """Everything that these sources hold.

    A source is a file or a folder, `-` for standard input, `stack:NAME` for a live stack of the Pulumi
    project in the current folder, or `cluster:CONTEXT` for a live cluster of the kubeconfig (`cluster:` for
    its current context).

    Raises SourceError for a source that is none or cannot be reached.
    """
    gathering = _Gathering(limits or Limits())
    with _kept():
        for source in sources:
            gathering.take(source)
    return gathering.done()


@contextmanager
def _kept() -> Iterator[None]:
    """Without the search for garbage: reading makes none, and all that is kept would be gone through."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(slots=True)
class _Gathering:
    """What was read so far."""

    limits: Limits
    resources: list[Resource] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    kinds: Counter[Kind] = field(default_factory=Counter)
    files: int = 0
    passed_over: int = 0
    cut: Counter[str] = field(default_factory=Counter)
    """Of each file, parts that could not be read."""
    seen: set[tuple[int, int]] = field(default_factory=set)
    named: list[FilePath] = field(default_factory=list)
    """Files and folders that a person named."""
    links: list[LinkOut] = field(default_factory=list)

    def take(self, source: str) -> None:
        """Read one source. Raises SourceError if it is none."""
        if source == STDIN:
            self._named(source, "(standard input)", lambda: read_stdin(self.limits))
            return
        if source.startswith(STACK):
            self._stack(source)
            return
        if source.startswith(CLUSTER):
            self._cluster(source)
            return
        path = FilePath(source)
        self._note(path)
        program = known_by(path.name)
        if os.path.isdir(source):  # noqa: PTH112 - unlike a Path it only says no to what is no path at all
            self._folder(path)
        elif program is not None and os.path.exists(source):  # noqa: PTH110 - likewise
            told = unread(program, path)
            raise SourceError(shown(path), told.why, told.remedy)
        elif not self._is_known(path):
            self._named(source, shown(path), lambda: read_file(path, self.limits))

    def _note(self, path: FilePath) -> None:
        try:
            self.named.append(path.resolve())
        except (OSError, ValueError, RuntimeError):
            return  # opening it says what is wrong

    def _stack(self, source: str) -> None:
        from policies.audit.sources.live_stack import export  # noqa: PLC0415 - only for a live stack

        text = export(source, self.limits)
        try:
            self._document(Document(source, load(text), text))
        except UnreadableError as error:
            raise SourceError(source, error.why, error.remedy) from error
        self.files += 1

    def _cluster(self, source: str) -> None:
        from policies.audit.sources.live_cluster import read  # noqa: PLC0415 - only for a live cluster

        for found in read(source, self.limits):
            self._take_in(found, Kind.CLUSTER)
        self.files += 1

    def _is_known(self, path: FilePath) -> bool:
        """Whether a file was read already, under this name or another."""
        try:
            status = path.stat()
        except (OSError, ValueError):
            return False  # opening it says what is wrong
        identity = status.st_dev, status.st_ino
        known = identity in self.seen
        self.seen.add(identity)
        return known

    def _named(self, source: str, file: str, text: Callable[[], str]) -> None:
        try:
            found = self._text(file, text())
        except UnreadableError as error:
            raise SourceError(source, error.why, error.remedy) from error
        if not found:
            raise SourceError(source, "holds nothing that is read", _WHAT_IS_READ)

    def _folder(self, folder: FilePath) -> None:
        before = self.files + len(self.unread) + len(self.links)
        known = 0
        for each in walk(folder, self.limits):
            if isinstance(each, Unread):
                self.unread.append(each)
            elif isinstance(each, LinkOut):
                self.links.append(each)
            elif self._is_known(each):
                known += 1
            else:
                self._found(each)
        if not known and before == self.files + len(self.unread) + len(self.links):
            self.unread.append(Unread(Location(shown(folder)), "holds nothing that is read", _WHAT_IS_READ))

    def _found(self, path: FilePath) -> None:
        """Read a file found in a folder."""
        file = shown(path)
        text = ""
        try:
            text = read_file(path, self.limits)
            found = self._text(file, text, named=False)
        except UnreadableError as error:
            found = not text or _MAY_BE_ONE.search(text) is not None
            if found:
                self.unread.append(Unread(Location(file), error.why, error.remedy))
        self.passed_over += not found

    def _text(self, file: str, text: str, *, named: bool = True) -> bool:
        """Read a text; whether there was anything to read in it."""
        anything = False
        for document in documents(file, text, self.limits):
            if isinstance(document, Unread):
                if named or _MAY_BE_ONE.search(text):
                    self._cannot(document)
                    anything = True
            else:
                anything = self._document(document) or anything
        self.files += anything
        return anything

    def _document(self, document: Document) -> bool:
        """Read a document; whether it is of a kind that is read."""
        reader = next((reader for reader in READERS if reader.is_one(document.value)), None)
        if reader is None:
            return False
        try:
            for found in reader.read(document):
                self._take_in(found, reader.kind)
        except RecursionError:
            self._cannot(document.unread("is nested too deep", _CORRECT))
        return True

    def _take_in(self, found: Resource | Unread, kind: Kind) -> None:
        if isinstance(found, Unread):
            self._cannot(found)
        else:
            self.resources.append(found)
            self.kinds[kind] += 1

    def _cannot(self, unread: Unread) -> None:
        """Take note of what could not be read: of one file the first few, and how many more there are."""
        file = unread.location.file
        self.cut[file] += 1
        if self.cut[file] <= _TOLD_OF_A_FILE:
            self.unread.append(unread)

    def done(self) -> Gathered:
        """All of it, each resource under an address of its own."""
        for file, count in self.cut.items():
            if count > _TOLD_OF_A_FILE:
                why = f"has {count - _TOLD_OF_A_FILE:,} more parts that could not be read"
                self.unread.append(Unread(Location(file), why, "correct those that are told first"))
        for link in self.links:
            if not any(link.target.is_relative_to(each) for each in self.named):
                self.unread.append(link.unread)
        _give_addresses(self.resources)
        return Gathered(
            tuple(self.resources),
            tuple(self.unread),
            MappingProxyType(dict(self.kinds)),
            self.files,
            self.passed_over,
        )


def _give_addresses(resources: Iterable[Resource]) -> None:
    """Tell those apart that have one address: a stack exported twice, an object written twice."""
    taken: set[str] = set()
    times: Counter[str] = Counter()
    for resource in resources:
        urn = resource.urn
        while resource.urn in taken:
            times[urn] += 1
            resource.urn = f"{urn}#{times[urn] + 1}"
        taken.add(resource.urn)


# -- documents


def documents(file: str, text: str, limits: Limits) -> Iterator[Document | Unread]:
    """The documents of a text, which is JSON or YAML.

    Raises UnreadableError for a file of JSON that is none.
    """
    beginning = text.lstrip()
    must_be_json = file.endswith(_JSON)
    if must_be_json or (beginning.startswith("{") and not beginning.startswith(_TEMPLATE)):
        try:
            yield from _json(file, text)
        except UnreadableError:
            if must_be_json or len(text) > _SHORT:
                raise
        else:
            return
    yield from _yaml(file, text, limits)


def _json(file: str, text: str) -> Iterator[Document]:
    lines = Lines(text)
    for value, offsets in loads(text):
        yield Document(file, value, text, partial(_place, lines, offsets))


def _place(lines: Lines, offsets: Mapping[Path, int], path: Path) -> tuple[int, int] | None:
    return lines.at(offsets[path]) if path in offsets else None


def _yaml(file: str, text: str, limits: Limits) -> Iterator[Document | Unread]:
    from policies.audit.sources.yaml_text import Broken, loads  # noqa: PLC0415 - yaml only where there is any

    for each in loads(text, limits):
        if not isinstance(each, Broken):
            yield Document(file, each.value, text, each.places.get)
        elif _TEMPLATE in each.text:
            yield Unread(
                Location(file, each.line, each.column),
                "is a template that is not readable before it is rendered",
                HELM_TEMPLATE,
            )
        else:
            yield Unread(Location(file, each.line, each.column), each.why, _CORRECT)
