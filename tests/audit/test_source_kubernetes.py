"""Kubernetes manifests: objects, lists of them, several documents, and what a Secret keeps."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from policies.audit.sources import Gathered, Kind, gather
from policies.reading.bags import UNKNOWN

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def read(folder: Path, text: str, name: str = "all.yaml") -> Gathered:
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return gather([str(folder / name)])


@dataclass(frozen=True)
class Case:
    says: str
    text: str
    found: list[tuple[str, str, int, int]]
    unread: tuple[int, ...] = ()
    file: str = "all.yaml"


CASES = [
    Case(
        "one object",
        """\
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: chat, namespace: models}
        """,
        [(DEPLOYMENT, "models/chat", 1, 1)],
    ),
    Case(
        "several documents",
        """\
        # a comment, then nothing
        ---
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: a}
        ---
        # and only a comment
        --- # on the line itself
        apiVersion: leaderworkerset.x-k8s.io/v1
        kind: LeaderWorkerSet
        metadata: {generateName: b-}
        ...
        apiVersion: v1
        kind: Pod
        metadata: {labels: {}}
        """,
        [
            ("kubernetes:core/v1:Pod", "a", 4, 1),
            ("kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet", "b-", 10, 1),
            ("kubernetes:core/v1:Pod", "(no name)", 14, 1),
        ],
    ),
    Case(
        "a list",
        """\
        apiVersion: v1
        kind: List
        items:
          - apiVersion: batch/v1
            kind: Job
            metadata: {name: a}
          - 3
          - apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: Pod, metadata: {name: b}}
        """,
        [("kubernetes:batch/v1:Job", "a", 4, 5), ("kubernetes:core/v1:Pod", "b", 8, 5)],
        unread=(7,),
    ),
    Case(
        "a list as the API has it",
        '{"kind": "DeploymentList", "apiVersion": "apps/v1", "items": [\n  {"metadata": {"name": "a"}}]}',
        [(DEPLOYMENT, "a", 2, 3)],
        file="all.json",
    ),
    Case(
        "JSON",
        '{"apiVersion": "v1",\n"kind": "Pod", "metadata": {"name": "a"}}',
        [("kubernetes:core/v1:Pod", "a", 1, 1)],
    ),
    Case(
        "a mapping in one line",
        "{apiVersion: v1, kind: Pod}",
        [("kubernetes:core/v1:Pod", "(no name)", 1, 1)],
    ),
    Case(
        "a broken document beside good ones",
        """\
        apiVersion: v1
        kind: Pod
        metadata: {name: a}
        ---
        apiVersion: v1
        kind: [
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: b}
        """,
        [("kubernetes:core/v1:Pod", "a", 1, 1), ("kubernetes:core/v1:Pod", "b", 8, 1)],
        unread=(7,),
    ),
    Case(
        "a key written twice",
        """\
        apiVersion: v1
        kind: Pod
        kind: Secret
        """,
        [],
        unread=(3,),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_objects(case: Case, tmp_path: Path) -> None:
    found = read(tmp_path, case.text, case.file)
    shown = [
        (each.resource_type, each.name, each.location.line, each.location.column)
        for each in found.resources
        if each.location
    ]
    assert shown == case.found
    assert tuple(each.location.line for each in found.unread) == case.unread
    assert found.kinds.get(Kind.KUBERNETES, 0) == len(case.found)


def test_an_object_keeps_its_shape(tmp_path: Path) -> None:
    text = """\
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: chat
          annotations: {'8': "on"}
        spec:
          replicas: 3
          template: &template
            spec:
              containers:
                - {name: a, resources: {limits: {nvidia.com/gpu: 1, cpu: "2", memory: 1e3}}}
          other: *template
        """
    (resource,) = read(tmp_path, text).resources
    containers = [{"name": "a", "resources": {"limits": {"nvidia.com/gpu": 1, "cpu": "2", "memory": 1000.0}}}]
    template = {"spec": {"containers": containers}}
    assert resource.props == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "chat", "annotations": {"8": "on"}},
        "spec": {"replicas": 3, "template": template, "other": template},
    }


def test_an_address_is_the_file_the_kind_and_the_name(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\n"
    found = read(tmp_path, f"{text}---\n{text}")
    address = f"{tmp_path / 'all.yaml'}#v1/Pod/b/a"
    assert [each.urn for each in found.resources] == [address, f"{address}#2"]


def test_of_a_secret_no_value_is_taken(tmp_path: Path) -> None:
    text = """\
        apiVersion: v1
        kind: Secret
        metadata: {name: a, annotations: {kubectl.kubernetes.io/last-applied-configuration: hidden}}
        type: Opaque
        data: {password: hidden}
        stringData: {password: hidden}
        """
    (resource,) = read(tmp_path, text).resources
    assert "hidden" not in repr(dict(resource.props))
    assert (resource.props["data"], resource.props["type"]) == (UNKNOWN, "Opaque")


@dataclass(frozen=True)
class Scalar:
    text: str
    value: object


SCALARS = [
    *(Scalar(text, None) for text in ("", "~", "null")),
    *(Scalar(text, value=True) for text in ("true", "Yes", "on")),
    *(Scalar(text, value=False) for text in ("FALSE", "no", "off")),
    Scalar("20", 20),
    Scalar("-1", -1),
    Scalar("1_000", 1000),
    Scalar("010", 8),
    Scalar("0o10", 8),
    Scalar("0x1F", 31),
    Scalar("-0b11", -3),
    Scalar("089", 89.0),
    Scalar("0x", "0x"),
    Scalar("1.5", 1.5),
    Scalar("1e3", 1000.0),
    Scalar("1e999999", UNKNOWN),
    Scalar(".inf", UNKNOWN),
    Scalar("9" * 5000, UNKNOWN),
    Scalar("1:30", "1:30"),
    Scalar("2010-09-09", "2010-09-09"),
    Scalar("500m", "500m"),
    Scalar("'20'", "20"),
    Scalar('"on"', "on"),
    Scalar("!!str 20", "20"),
    Scalar("!!int '20'", 20),
    Scalar("!!float '1e3'", 1000.0),
    Scalar("!!timestamp 2010-09-09", "2010-09-09"),
    Scalar("!!binary aGlkZGVu", UNKNOWN),
    Scalar("!!python/object/apply:os.system [id]", UNKNOWN),
    Scalar("!!python/name:os.system ''", UNKNOWN),
    Scalar("!vault/secret hidden", UNKNOWN),
    Scalar("!<tag:example.com,2026:x> 1", UNKNOWN),
    Scalar("{<<: {a: 1, b: 1}, a: 2}", {"a": 2, "b": 1}),
    Scalar("{<<: [{a: 1}, {a: 2, b: 2}]}", {"a": 1, "b": 2}),
    Scalar('{"<<": 1}', {"<<": 1}),
    Scalar("{&k a: 1, b: *k}", {"a": 1, "b": "a"}),
    Scalar("{1: a, on: b, ~: c}", {"1": "a", "on": "b", "~": "c"}),
]


@pytest.mark.parametrize("case", SCALARS, ids=lambda case: case.text[:30])
def test_values_of_yaml(case: Scalar, tmp_path: Path) -> None:
    (resource,) = read(tmp_path, f"apiVersion: v1\nkind: Pod\nspec: {case.text}\n").resources
    assert resource.props["spec"] == case.value
    assert type(resource.props["spec"]) is type(case.value)


PASSED_OVER = [
    ("a kubeconfig", "apiVersion: v1\nkind: Config\nusers: [{user: {token: hidden}}]\n"),
    ("a workflow of a CI", "on: push\njobs: {build: {steps: []}}\n"),
    ("a compose file", "services: {web: {image: nginx}}\n"),
    ("values of a chart", "replicas: 3\n"),
    ("a text", "hello\n"),
    ("a broken file of something else", "a: [\n"),
]


@pytest.mark.parametrize(("says", "text"), PASSED_OVER, ids=[says for says, _ in PASSED_OVER])
def test_what_is_none_of_these_is_passed_over_in_a_folder(says: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\n", encoding="utf-8")
    found = gather([str(tmp_path)])
    assert (len(found.resources), found.unread, found.files, found.passed_over) == (1, (), 1, 1), says
