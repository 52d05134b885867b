"""From a plain mapping to a `Stack`, or to every problem in it at once."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import ValidationError

from components.spec.consistency import inconsistencies
from components.spec.draft import draft
from components.spec.errors import Problem, StackError
from components.spec.places import position, subject_of
from components.spec.stack import Stack
from components.spec.translation import translate


def load(mapping: Mapping[str, object]) -> Stack:
    """The validated stack; raises `StackError` with every problem found.

    `mapping` is what stands under `halfmetal:stack`, as plain dicts, lists, text, numbers and booleans.
    """
    problems: tuple[Problem, ...] = ()
    try:
        stack = Stack.model_validate(mapping)
    except ValidationError as error:
        reading = translate(error, Stack, mapping)
        problems = reading.problems
        if not isinstance(mapping, Mapping):
            raise StackError(problems) from None
        stack = draft(Stack, mapping, reading.suspects)
    problems += tuple(inconsistencies(stack))
    if problems:
        named = (replace(problem, subject=subject_of(problem.path, mapping)) for problem in problems)
        raise StackError(sorted(named, key=lambda problem: position(problem.path, mapping)))
    return stack
