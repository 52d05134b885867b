"""Names: within the limits, and stable."""

import pytest

from components.naming import PART_AT_MOST, ROOT_AT_MOST, fitted, part, root, slug


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param("hybrid", "hybrid", id="a plain name stays"),
        pytest.param("Prod_EU", "prod-eu-0c9b", id="another alphabet gets a hash of the original"),
        pytest.param("a-very-long-stack-name", "a-very-lo-e1d1", id="a long one is cut"),
    ],
)
def test_root(stack: str, expected: str):
    assert root(stack)[:-4] == expected[:-4]
    assert len(root(stack)) <= ROOT_AT_MOST


def test_two_stacks_that_look_alike_have_two_roots():
    assert len({root(name) for name in ("prod", "Prod", "prod_", "a" * 20, "a" * 21)}) == 5


def test_two_long_workloads_have_two_parts():
    first, second = part("summarise-documents-in-english"), part("summarise-documents-in-french")
    assert first != second
    assert max(len(first), len(second)) <= PART_AT_MOST


@pytest.mark.parametrize("name", ["x", "embed", "a" * PART_AT_MOST])
def test_short_names_are_left_alone(name: str):
    assert fitted(name, PART_AT_MOST) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /models/{name}", "get-models-name"),
        ("ANY /v2/models/embed/{proxy+}", "any-v2-models-embed-proxy"),
        ("ops@example.com", "ops-example-com"),
        ("/", "root"),
    ],
)
def test_slug(text: str, expected: str):
    assert slug(text) == expected
