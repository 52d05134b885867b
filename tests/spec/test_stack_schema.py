"""The schema that editors use, and the reference page, say what the models say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import BaseModel, TypeAdapter
from stack_examples import DEDICATED, HYBRID, PURE, Raw, changed

from cli.schema import REFERENCE, SCHEMA, generated, stale
from components.spec import Stack, StackError, load, shapes
from components.spec.schema import stack_file_schema
from components.spec.yaml_source import read

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft7Validator(stack_file_schema())
STACK_FILES = sorted(
    [*(ROOT / "stacks").glob("Pulumi.*.yaml"), *(ROOT / "examples").glob("**/Pulumi.*.yaml")]
)
STACKS = [HYBRID, PURE, DEDICATED]


def accepts(stack: object) -> bool:
    return VALIDATOR.is_valid({"config": {"halfmetal:stack": stack}})


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(stack_file_schema())


def test_committed_files_are_what_the_models_say() -> None:
    assert stale() == [], "run `halfmetal schema` and commit what it writes"
    assert {SCHEMA, REFERENCE} == set(generated())


def test_it_is_the_same_every_time() -> None:
    assert json.dumps(stack_file_schema()) == json.dumps(stack_file_schema())


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: str(stack["topology"]))
def test_it_accepts_a_valid_stack(stack: Raw) -> None:
    assert [error.message for error in VALIDATOR.iter_errors({"config": {"halfmetal:stack": stack}})] == []


@pytest.mark.parametrize("file", STACK_FILES, ids=lambda file: file.name)
def test_it_accepts_each_stack_file_here(file: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(read(file.read_text()).value)] == []


def test_it_knows_the_keys_of_the_engine() -> None:
    own = {
        "encryptionsalt": "v1:x",
        "secretsprovider": "passphrase",
        "encryptedkey": "x",
        "environment": ["dev"],
    }
    config = {"aws:region": "us-east-1", "halfmetal:stack": PURE, "other:key": {"secure": "v1:x"}}
    assert VALIDATOR.is_valid({"config": config, **own})
    assert not VALIDATOR.is_valid({"config": config, "confg": {}})
    assert not VALIDATOR.is_valid({"config": {"aws:region": "us-east-1"}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("topology", "hybird", id="misspelt choice"),
        pytest.param("topolgy", "pure", id="unknown key"),
        pytest.param("control_plane.memory", 256, id="bare number"),
        pytest.param("control_plane.timeout", "10 s", id="space before the unit"),
        pytest.param("data_plane.cluster.version", 1.34, id="version without quotes"),
        pytest.param("data_plane.gateway.port", 80800, id="port out of range"),
        pytest.param("workloads[0].name", "Embed", id="name with capitals"),
        pytest.param("workloads[0].serve.container.image", "a/b:latest", id="image that moves"),
        pytest.param("workloads", [], id="no workloads"),
        pytest.param("policies.rules", {"state-localty": {}}, id="misspelt rule"),
    ],
)
def test_it_refuses_while_one_types(path: str, value: object) -> None:
    assert not accepts(changed(HYBRID, {path: value}))


def test_every_key_is_explained() -> None:
    for model in every_model(Stack):
        assert model.__doc__
        for name, field in shapes.fields_of(model).items():
            assert field.description, f"{model.__name__}.{name} has no description"
            assert field.examples, f"{model.__name__}.{name} has no example"
            tells_default = field.is_required() or "Default" in field.description
            assert tells_default, f"{model.__name__}.{name} does not say its default"


def test_every_example_is_right() -> None:
    for model in every_model(Stack):
        for name, field in shapes.fields_of(model).items():
            adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
            for example in field.examples or []:
                assert adapter.validate_python(example) is not None, f"{model.__name__}.{name}"


def every_model(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in shapes.fields_of(model).values():
        for annotation in (field.annotation, shapes.item(field.annotation), shapes.value(field.annotation)):
            for inner in shapes.models(annotation):
                yield from every_model(inner)


def leaves(value: object, path: str = "") -> Iterator[str]:
    """Paths of everything in a stack."""
    if path:
        yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in parts:
        if isinstance(part, str) and not part.replace("_", "").isalnum():
            continue
        yield from leaves(inner, f"{path}[{part}]" if isinstance(part, int) else f"{path}.{part}".lstrip("."))


WORDS = (
    *(
        "16GiB",
        "0B",
        "512MB",
        "1.5GiB",
        "10s",
        "250ms",
        "0s",
        "14d",
        "3653d",
        "20/s",
        "1200/min",
        "0.1%",
        "100%",
    ),
    *("$500/month", "$4/h", "500m", "1.34", "10.0.0.0/24", "us-east-1", "us-east-1a", "us-west-2b"),
    *("pure", "hybrid", "dedicated", "auto", "none", "eks", "existing", "vpc-link", "load-balancer"),
    *("managed", "metal", "on-demand", "spot", "L4", "H100", "embed", "cpu-a", "gpu-a", "weights", "pool"),
    *("function", "a/b:1", "a.b", "/ready", "python3.12", "pci-dss"),
)

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 70000),
    st.floats(),
    st.sampled_from(WORDS),
    st.just({}),
    st.lists(st.sampled_from(["us-east-1a", "us-east-1b", "features", "pci-dss"]), max_size=3),
)


@given(st.data(), st.sampled_from(STACKS))
def test_it_accepts_whatever_is_accepted(data: st.DataObject, stack: Raw) -> None:
    paths = data.draw(st.lists(st.sampled_from(sorted(leaves(stack))), min_size=1, max_size=2, unique=True))
    if len(paths) == 2 and (paths[0].startswith(paths[1]) or paths[1].startswith(paths[0])):
        paths = paths[:1]
    mutated = changed(stack, {path: data.draw(values) for path in paths})
    try:
        load(mutated)
    except StackError:
        return
    assert [error.message for error in VALIDATOR.iter_errors({"config": {"halfmetal:stack": mutated}})] == []
