"""Whatever comes in, a stack or a `StackError` comes out, and each problem can be acted on."""

import json

from hypothesis import given
from hypothesis import strategies as st
from stack_examples import DEDICATED, HYBRID, PURE, Raw, changed
from test_stack_schema import leaves

from components.spec import Stack, StackError, load
from components.spec.yaml_source import UnreadableError, read

TWINNED = changed(HYBRID, {"workloads[0].placement.twin": {"queue": 4}})
STACKS = [HYBRID, TWINNED, PURE, DEDICATED]

keys = st.text(max_size=8) | st.sampled_from(sorted({path.split(".")[-1] for path in leaves(TWINNED)}))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | st.integers(), inner, max_size=5),
    max_leaves=20,
)


def check(raw: object) -> None:
    try:
        assert isinstance(load(raw), Stack)  # type: ignore[arg-type] - anything may come from a file
    except StackError as error:
        assert error.problems
        assert all(problem.message and problem.remedy for problem in error.problems)
        assert str(error)
        json.loads(error.to_json(), parse_constant=no_json)


def no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@given(anything)
def test_anything_at_all(raw: object) -> None:
    check(raw)


@given(st.data(), st.sampled_from(STACKS), anything)
def test_anything_anywhere(data: st.DataObject, stack: Raw, value: object) -> None:
    check(changed(stack, {data.draw(st.sampled_from(sorted(leaves(stack)))): value}))


@given(st.data(), st.sampled_from(STACKS), st.from_regex(r"[A-Za-z_-]{1,12}", fullmatch=True))
def test_any_key_anywhere(data: st.DataObject, stack: Raw, key: str) -> None:
    path = data.draw(st.sampled_from(sorted(leaves(stack))))
    beside = path.rpartition(".")[0]
    check(changed(stack, {f"{beside}.{key}" if beside else key: 1}))


@given(st.text(alphabet="{}[]:,-&*<>!|'\"#%@ \n\tab1.~?", max_size=40))
def test_any_text_is_yaml_or_not(text: str) -> None:
    try:
        read(text)
    except UnreadableError as error:
        assert str(error)
