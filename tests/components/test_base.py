"""The rules that every component keeps."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from recording import record, unknown_properties

from components.base import Component, ComponentError


class _Made(pulumi.CustomResource):
    def __init__(self, name: str, size: int, opts: pulumi.ResourceOptions) -> None:
        super().__init__("aws:sns/topic:Topic", name, {"displayName": str(size)}, opts)


class Shelf(Component):
    """A component of one resource."""

    def __init__(self, name: str, made: str, **hooks: object) -> None:
        super().__init__(name, None, **hooks)  # type: ignore[arg-type]
        _Made(made, 1, self.options())
        self.register_outputs({})


def test_type_token_says_where_it_lives():
    Shelf.__module__ = "components.data_plane.shelf"
    assert Shelf.type_token() == "halfmetal:data_plane:Shelf"


@pytest.mark.parametrize("name", ["book", "shelfbook", "other-book"])
def test_a_child_of_another_name_is_refused(name: str):
    with pytest.raises(ComponentError, match="begins with shelf-"):
        record(lambda: Shelf("shelf", name))


def test_transform_sees_every_resource_and_may_change_it():
    seen = []

    def transform(kind: str, name: str, props: Mapping[str, Any]) -> dict[str, str] | None:
        seen.append((kind, name, dict(props)))
        return {"displayName": "changed"} if name == "shelf-book" else None

    recording = record(lambda: Shelf("shelf", "shelf-book", transform=transform))
    assert recording.one("aws:sns/topic:Topic").inputs["displayName"] == "changed"
    assert ("aws:sns/topic:Topic", "shelf-book", {"displayName": "1"}) in seen


@pytest.mark.parametrize(
    ("token", "inputs", "found"),
    [
        pytest.param("aws:sns/topic:Topic", {"displayNmae": "x"}, ["displayNmae"], id="top level"),
        pytest.param(
            "aws:eks/cluster:Cluster",
            {"vpcConfig": {"subnetIds": [], "endpoint": True}},
            ["vpcConfig.endpoint"],
            id="nested",
        ),
        pytest.param(
            "kubernetes:apps/v1:Deployment",
            {"spec": {"template": {"spec": {"containers": [{"name": "a", "readyness": {}}]}}}},
            ["spec.template.spec.containers[0].readyness"],
            id="deep in a list",
        ),
        pytest.param(
            "kubernetes:core/v1:ConfigMap",
            {"data": {"any.key": "x"}, "metadata": {"labels": {"any/label": "x"}}},
            [],
            id="keys of a map are free",
        ),
        pytest.param("aws:sns/topick:Topick", {}, ["no such type in the SDK"], id="a type that is none"),
    ],
)
def test_recording_engine_finds_what_the_sdks_do_not_have(token: str, inputs: dict, found: list[str]):
    assert [each.split(": ", 1)[1] for each in unknown_properties(token, inputs)] == found
