"""What the functions of a stack are made of: each for its own runtime, every mistake at once."""

from typing import Any

import pytest
import yaml
from recording import bundle_of_likely_size

from components.control_plane.bundle import REPO, Bundle
from components.placement import decide
from components.spec import Problem, Stack, StackError, load
from components.topology.common import CONTROL_CODE, bundles_of
from tests.spec.stack_examples import ABSENT
from tests.twin_example import twinned


def _pure(*runtimes: str) -> Stack:
    """The pure example with its function once for each runtime."""
    text = (REPO / "stacks" / "Pulumi.pure.yaml").read_text(encoding="utf-8")
    stack: dict[str, Any] = yaml.safe_load(text)["config"]["halfmetal:stack"]
    (embed,) = stack["workloads"]
    stack["workloads"] = [
        {
            **embed,
            "name": f"embed-{number}",
            "serve": {"function": {**embed["serve"]["function"], "runtime": runtime}},
        }
        for number, runtime in enumerate(runtimes)
    ]
    return load(stack)


def test_one_folder_for_two_runtimes_is_packaged_twice():
    stack = _pure("python3.11", "python3.13", "python3.11")
    asked: list[tuple[str, str]] = []

    def package(folder: str, runtime: str) -> Bundle:
        asked.append((folder, runtime))
        return bundle_of_likely_size(folder, runtime)

    made = bundles_of(stack, decide(stack), package)
    folder = "examples/embedder"
    assert made.keys() == {
        (CONTROL_CODE, "python3.11"),
        (folder, "python3.11"),
        (folder, "python3.13"),
    }
    assert sorted(asked) == sorted(made)


def test_each_function_that_cannot_be_packaged_is_named():
    stack = _pure("python3.11", "python3.12", "python3.13")

    def package(folder: str, runtime: str) -> Bundle:
        if folder != CONTROL_CODE and runtime != "python3.11":
            raise StackError([Problem("serve.function.bundle", folder, f"not for {runtime}", "do this")])
        return bundle_of_likely_size(folder, runtime)

    with pytest.raises(StackError) as raised:
        bundles_of(stack, decide(stack), package)
    assert [(each.path, each.subject, each.message) for each in raised.value.problems] == [
        ("workloads[1].serve.function.bundle", "embed-1", "not for python3.12"),
        ("workloads[2].serve.function.bundle", "embed-2", "not for python3.13"),
    ]


@pytest.mark.parametrize(
    ("twin", "runtimes"),
    [
        pytest.param({}, {"python3.11", "python3.13"}, id="a twin is made of a bundle too"),
        pytest.param(ABSENT, {"python3.11"}, id="a function that is nobody's home is not made"),
    ],
)
def test_what_is_made_is_packaged_and_nothing_else(twin: object, runtimes: set[str]):
    stack = twinned({"placement.twin": twin, "serve.function.runtime": "python3.13"})
    assert {runtime for _, runtime in bundles_of(stack, decide(stack), bundle_of_likely_size)} == runtimes
