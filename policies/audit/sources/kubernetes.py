"""Kubernetes objects as manifests and the API have them: their shape is the one that the readers know.

Of a Secret no value is taken, nor the copy of it that `kubectl apply` leaves in an annotation.
"""

from collections.abc import Iterator, Mapping
from re import compile as pattern
from typing import Any, Final

from policies.audit.sources.documents import Document, Found
from policies.audit.sources.places import Path
from policies.reading.bags import UNKNOWN, fetch
from policies.resources import Resource

_SECRET: Final = "kubernetes:core/v1:Secret"
_NO_NAME: Final = "(no name)"
_API_VERSION: Final = pattern(r"(?:[a-z0-9][-a-z0-9.]*/)?v[0-9][a-z0-9]*\Z")
_LISTS_WITHIN_LISTS: Final = 8
_NO_OBJECTS: Final = frozenset({("v1", "Config")})
"""What has an object's outer form but is a client's own file: a kubeconfig, which holds credentials."""


def is_one(value: Any) -> bool:
    """Whether a document is a Kubernetes object or a list of them."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("kind"), str)
        and isinstance(value.get("apiVersion"), str)
        and _API_VERSION.match(value["apiVersion"]) is not None
        and (value["apiVersion"], value["kind"]) not in _NO_OBJECTS
    )


def read(document: Document) -> Found:
    """Every object of a document."""
    yield from _objects(document, document.value, ())


def _objects(document: Document, value: Mapping[str, Any], path: Path) -> Found:
    """The object at a path, or those of the list there."""
    kind, items = value["kind"], value.get("items")
    if not (kind.endswith("List") and isinstance(items, list)):
        yield made(value, document.file, document, path)
        return
    if len(path) > _LISTS_WITHIN_LISTS:
        yield document.unread("is a list in a list in a list", "list the objects once", *path)
        return
    for index, item in enumerate(items):
        listed = _listed(value, item)
        if listed is not None:
            yield from _objects(document, listed, (*path, "items", index))
        else:
            yield document.unread(
                "is no Kubernetes object", "give it an apiVersion and a kind", *path, "items", index
            )


def _listed(listing: Mapping[str, Any], item: Any) -> Mapping[str, Any] | None:
    """An item as an object: an API's typed list leaves out what its items are."""
    if isinstance(item, Mapping) and "kind" not in item and "apiVersion" not in item:
        kind = listing["kind"].removesuffix("List")
        item = {"apiVersion": listing["apiVersion"], "kind": kind, **item} if kind else item
    return item if is_one(item) else None


def made(value: Mapping[str, Any], source: str, document: Document, path: Path = ()) -> Resource:
    """An object as a resource of the source it was found in."""
    resource_type = token(value["apiVersion"], value["kind"])
    name = _name(value)
    return Resource(
        resource_type,
        name,
        f"{source}#{value['apiVersion']}/{value['kind']}/{name}",
        without_secrets(resource_type, value),
        location=document.at(*path),
    )


def token(api_version: str, kind: str) -> str:
    """The type token that Pulumi's Kubernetes provider has for a kind."""
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def _name(value: Mapping[str, Any]) -> str:
    names = (fetch(value, "metadata", key) for key in ("name", "generateName"))
    name = next((name for name in names if isinstance(name, str)), _NO_NAME)
    namespace = fetch(value, "metadata", "namespace")
    return f"{namespace}/{name}" if isinstance(namespace, str) else name


def without_secrets(resource_type: str, props: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of a resource of any type; of a Kubernetes Secret without what it keeps."""
    if not resource_type.startswith("kubernetes:"):
        return props
    if resource_type != _SECRET:
        return (
            {key: each for key, each in props.items() if key != "__inputs"} if "__inputs" in props else props
        )
    return dict(_of_a_secret(props))


def _of_a_secret(props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in props.items():
        if key in ("apiVersion", "kind", "type", "immutable", "id"):
            yield key, value
        elif key == "metadata" and isinstance(value, Mapping):
            yield key, {**value, "annotations": UNKNOWN, "managedFields": UNKNOWN}
        else:
            yield key, UNKNOWN
