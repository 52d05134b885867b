"""A Pulumi state: what `pulumi stack export` prints, or a backend keeps in a folder.

Every resource is taken as its provider last described it, over what its program asked for: the same that a
stack policy sees. What is encrypted stays so. Components, providers and what only waits for its deletion are
left out: nothing of them runs.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from re import compile as pattern
from typing import Any, Final

from policies.audit.sources.documents import Document, Found
from policies.audit.sources.kubernetes import without_secrets
from policies.audit.sources.model import Unread
from policies.audit.sources.places import Path
from policies.audit.sources.types import BY_PULUMI, KEPT
from policies.reading.bags import UNKNOWN, fetch, items
from policies.resources import Resource

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key that marks an object as a value of Pulumi's own kind: a secret, a file, an output."""
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_NOT_KNOWN_YET: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a text
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "030794c1-ac77-496b-92df-f27374a8bd58",  # an asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # an object
    }
)
_ESCAPED: Final = pattern(r"\\u00(?:2[dD]|3[0-9]|6[1-6])")
"""A character of a mark, written so that a search for the mark misses it. Pulumi writes none."""
_OF_A_DEPLOYMENT: Final = ("manifest", "resources")
_OF_A_CHECKPOINT: Final = ("latest", "stack")
_VERSIONS: Final = (3, 4)
_REMEDY: Final = "export it again with a current pulumi: pulumi stack export --file state.json"


def is_one(value: Any) -> bool:
    """Whether a document is a Pulumi state."""
    if not isinstance(value, Mapping) or "version" not in value:
        return False
    deployment, checkpoint = value.get("deployment"), value.get("checkpoint")
    return (isinstance(deployment, Mapping) and not deployment.keys().isdisjoint(_OF_A_DEPLOYMENT)) or (
        isinstance(checkpoint, Mapping) and not checkpoint.keys().isdisjoint(_OF_A_CHECKPOINT)
    )


def read(document: Document) -> Found:
    """Every resource of a state that something runs by."""
    version = document.value.get("version")
    if version not in _VERSIONS:
        yield document.unread(f"is a Pulumi state of version {version!r:.20}, which is not read", _REMEDY)
        return
    path: Path = ("deployment", "resources")
    if "deployment" not in document.value:
        path = ("checkpoint", "latest", "resources")
    states = fetch(document.value, *path)
    if not isinstance(states, list):
        return  # of a stack that has nothing yet
    made: dict[str, Resource] = {}
    related: list[tuple[Resource, Mapping[str, Any]]] = []
    has_marks = _has_marks(document.text)
    for index, state in enumerate(states):
        if not _is_state(state):
            yield document.unread("is no resource of a Pulumi state", _REMEDY, *path, index)
        elif _runs(state):
            here = (*path, index)
            found = document.tried(here, partial(_resource, state, document, here, has_marks=has_marks))
            if isinstance(found, Unread):
                yield found
            else:
                made.setdefault(found.urn, found)
                related.append((found, state))
    for resource, state in related:
        _relate(resource, state, made)
        yield resource


def _is_state(state: Any) -> bool:
    return (
        isinstance(state, dict) and isinstance(state.get("urn"), str) and isinstance(state.get("type"), str)
    )


def _runs(state: Mapping[str, Any]) -> bool:
    gone = state.get("delete") or state.get("pendingReplacement")
    return bool(state.get("custom")) and not gone and not state["type"].startswith("pulumi:")


def _resource(state: Mapping[str, Any], document: Document, path: Path, *, has_marks: bool) -> Resource:
    urn, resource_type = state["urn"], state["type"]
    props = _props(state, has_marks=has_marks)
    if isinstance(state.get("id"), str):
        props.setdefault("id", state["id"])
    return Resource(
        resource_type,
        urn.rpartition("::")[2],
        urn,
        without_secrets(resource_type, props),
        location=document.at(*path),
    )


def _props(state: Mapping[str, Any], *, has_marks: bool) -> dict[str, Any]:
    inputs, outputs = (
        bag if isinstance(bag, dict) else {} for bag in (state.get("inputs"), state.get("outputs"))
    )
    if not has_marks:
        props = {**inputs, **outputs}
    elif _SIGNATURE in inputs or _SIGNATURE in outputs:
        props = {}  # all of it is a secret
    else:
        inputs = plain(inputs)
        props = {**inputs, **plain(outputs)}
        props |= {name: _veiled(props[name], value) for name, value in inputs.items()}
    for name in items(state, "additionalSecretOutputs"):
        if name in props:
            props[name] = UNKNOWN
    if state["type"] in BY_PULUMI and not state["type"].startswith("kubernetes:"):
        _drop_blanks(props)
    return props


def _drop_blanks(value: Any) -> None:
    """Take out the empty texts that a bridged provider has for what nobody set."""
    if isinstance(value, dict):
        if "" in value.values():
            for name in [name for name, each in value.items() if each == ""]:
                del value[name]
        for name, each in value.items():
            if isinstance(each, dict | list) and name not in KEPT:
                _drop_blanks(each)
    else:
        for each in value:
            if isinstance(each, dict | list):
                _drop_blanks(each)


def _veiled(value: Any, asked: Any) -> Any:
    """A value with UNKNOWN where what was asked for is: a provider may tell a secret that it was given."""
    if asked is UNKNOWN:
        return UNKNOWN
    if isinstance(value, dict) and isinstance(asked, dict):
        return {key: _veiled(each, asked.get(key)) for key, each in value.items()}
    if isinstance(value, list) and isinstance(asked, list):
        return [
            _veiled(each, asked[index] if index < len(asked) else None) for index, each in enumerate(value)
        ]
    return value


def _relate(resource: Resource, state: Mapping[str, Any], made: Mapping[str, Resource]) -> None:
    resource.dependencies = list(_named(state.get("dependencies"), made))
    by_property = state.get("propertyDependencies")
    if isinstance(by_property, dict):
        related = {name: list(_named(urns, made)) for name, urns in by_property.items() if urns}
        resource.property_dependencies = {name: found for name, found in related.items() if found}


def _named(urns: Any, made: Mapping[str, Resource]) -> Iterator[Resource]:
    if isinstance(urns, list):
        for urn in urns:
            if isinstance(urn, str) and urn in made:
                yield made[urn]


# -- values of Pulumi's own kinds


def _has_marks(text: str) -> bool:
    """Whether a JSON text may hold values of Pulumi's own kinds: most hold none, and a search is cheap."""
    return (
        _SIGNATURE in text
        or any(mark in text for mark in _NOT_KNOWN_YET)
        or (r"\u00" in text and _ESCAPED.search(text) is not None)
    )


def plain(value: Any) -> Any:
    """A value with UNKNOWN for what is secret, is not known yet, or is a file; what is plain is as it was."""
    if isinstance(value, dict):
        if _SIGNATURE in value:
            is_open = value[_SIGNATURE] == _OUTPUT and "value" in value and not value.get("secret")
            return plain(value["value"]) if is_open else UNKNOWN
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return UNKNOWN if isinstance(value, str) and value in _NOT_KNOWN_YET else value
