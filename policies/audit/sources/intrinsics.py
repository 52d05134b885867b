"""What CloudFormation's intrinsic functions stand for, as far as the template itself tells.

Parameters are their defaults. What only a deployment knows is UNKNOWN: an ARN, the account, an import. What
a value refers to is kept, so that resources relate where no name is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from re import Match
from re import compile as pattern
from typing import Any, Final

from policies.reading.bags import UNKNOWN

NO_VALUE: Final = object()
"""A property that is as if it were not there."""

_SUBSTITUTION: Final = pattern(r"\$\{(!?)([^${}]*)\}")
_RESOLVED_LATER: Final = "{{resolve:"
_ARN: Final = "arn:"
_IN_AN_ARN: Final = {"AWS::Partition": "aws", "AWS::Region": "", "AWS::AccountId": ""}
"""What an ARN in a template leaves to its deployment, and the readers do without."""
_THREE: Final = 3
"""Arguments that `Fn::If` has, and `Fn::FindInMap` before its options."""
_LONGEST_PART: Final = 1024
"""Of a text that is put together: what is not written out in it. Else a short template makes a long one."""
_LONGEST_VALUE: Final = 4096
_LONGEST_LIST: Final = 200
"""Of what many resources may refer to: each that does has to go through it. AWS takes no more of either."""
_ECHOED: Final = (None, False, "false", "False")


@dataclass(slots=True)
class Value:
    """What a value of a template stands for, and the resources that it refers to."""

    plain: Any
    refers_to: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """The values of one template."""

    template: Mapping[str, Any]
    names: Mapping[str, Any]
    """What `Ref` stands for, by logical ID of every resource: its name where that is given, else UNKNOWN."""
    _conditions: dict[str, bool | None] = field(default_factory=dict)
    _defaults: dict[str, Any] = field(default_factory=dict)

    def value(self, written: Any) -> Value:
        """What a written value stands for."""
        found = Value(None)
        found.plain = self._plain(written, found.refers_to)
        return found

    def branch(self, written: Any) -> Any:
        """What is written in the branch of an `Fn::If` that is taken; as it is if it is none."""
        while isinstance(written, dict) and set(written) == {"Fn::If"}:
            argument = written["Fn::If"]
            holds = (
                self.holds(argument[0]) if isinstance(argument, list) and len(argument) == _THREE else None
            )
            if holds is None:
                return UNKNOWN
            written = argument[1 if holds else 2]
        return written

    def holds(self, condition: Any) -> bool | None:
        """Whether a condition holds, by its name; None where that is not decidable."""
        if not isinstance(condition, str):
            return None
        if condition not in self._conditions:
            self._conditions[condition] = None  # so that one that asks for itself is undecided
            self._conditions[condition] = self._truth(_at(self.template, "Conditions", condition))
        return self._conditions[condition]

    # -- values

    def _plain(self, written: Any, refers_to: set[str]) -> Any:
        if isinstance(written, dict):
            if len(written) == 1:
                ((name, argument),) = written.items()
                if name == "Ref" or name.startswith("Fn::"):
                    return self._call(name, argument, refers_to)
            values = ((key, self._plain(each, refers_to)) for key, each in written.items())
            return {key: each for key, each in values if each is not NO_VALUE}
        if isinstance(written, list):
            plain = (self._plain(each, refers_to) for each in written)
            return [each for each in plain if each is not NO_VALUE]
        if isinstance(written, str) and _RESOLVED_LATER in written:
            return UNKNOWN
        return written

    def _call(self, name: str, argument: Any, refers_to: set[str]) -> Any:
        found: Any = UNKNOWN
        match name, argument:
            case "Ref", str():
                found = self._ref(argument, refers_to)
            case "Fn::GetAtt", [str(of), *_]:
                found = self._attribute(of, refers_to)
            case "Fn::GetAtt", str():
                found = self._attribute(argument.partition(".")[0], refers_to)
            case "Fn::Sub", str():
                found = self._substituted(argument, {}, refers_to)
            case "Fn::Sub", [str(text), dict(given)]:
                found = self._substituted(text, given, refers_to)
            case "Fn::Join", [str(between), parts]:
                found = self._joined(between, parts, refers_to)
            case "Fn::If", [_, _, _]:
                found = self._chosen(argument, refers_to)
            case "Fn::FindInMap", [_, _, _, *_]:
                found = self._found_in_map(argument, refers_to)
            case "Fn::Select", [index, choices]:
                found = _selected(self._plain(index, refers_to), self._plain(choices, refers_to))
            case "Fn::Split", [str(between), text]:
                whole = self._plain(text, refers_to)
                found = whole.split(between) if isinstance(whole, str) and between else UNKNOWN
            case _:
                self._plain(argument, refers_to)  # what it refers to counts, whatever comes out of it
        return found

    def _ref(self, name: str, refers_to: set[str]) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.names:
            refers_to.add(name)
            return self.names[name]
        if name not in self._defaults:
            self._defaults[name] = _default(_at(self.template, "Parameters", name))
        return self._defaults[name]

    def _attribute(self, of: str, refers_to: set[str]) -> Any:
        if of in self.names:
            refers_to.add(of)
        return UNKNOWN

    def _substituted(self, text: str, given: Mapping[str, Any], refers_to: set[str]) -> Any:
        if _RESOLVED_LATER in text:
            return UNKNOWN
        known = True
        parts: dict[str, str | None] = {}
        literal = len(_SUBSTITUTION.sub("", text))

        def replaced(match: Match[str]) -> str:
            nonlocal known
            literally, name = match[1], match[2].strip()
            if literally:
                return f"${{{name}}}"
            if name in _IN_AN_ARN and text.startswith(_ARN):
                return _IN_AN_ARN[name]
            if name not in parts:  # once: each part may hold texts with parts in turn
                parts[name] = self._part(name, given, refers_to)
            part = parts[name]
            known = known and part is not None
            return part or ""

        plain = _SUBSTITUTION.sub(replaced, text)
        return plain if known and len(plain) - literal <= _LONGEST_PART else UNKNOWN

    def _part(self, name: str, given: Mapping[str, Any], refers_to: set[str]) -> str | None:
        """What stands for a name in a text; None if that is not known."""
        if name in given:
            value = self._plain(given[name], refers_to)
        elif "." in name:
            value = self._attribute(name.partition(".")[0], refers_to)
        else:
            value = self._ref(name, refers_to)
        return _text(value)

    def _joined(self, between: str, parts: Any, refers_to: set[str]) -> Any:
        if not isinstance(parts, list):
            parts = self._plain(parts, refers_to)
        if not isinstance(parts, list):
            return UNKNOWN
        plain = [part for part in (self._plain(part, refers_to) for part in parts) if part is not NO_VALUE]
        texts = [text for part in plain if (text := _text(part)) is not None]
        if len(texts) < len(plain):
            return UNKNOWN
        joined = between.join(texts)
        literal = len(between) + sum(len(part) for part in parts if isinstance(part, str))
        return joined if len(joined) - literal <= _LONGEST_PART else UNKNOWN

    def _chosen(self, argument: list[Any], refers_to: set[str]) -> Any:
        condition, then, otherwise = argument
        holds = self.holds(condition)
        if holds is not None:
            return self._plain(then if holds else otherwise, refers_to)
        for each in (then, otherwise):
            self._plain(each, refers_to)
        return UNKNOWN

    def _found_in_map(self, argument: list[Any], refers_to: set[str]) -> Any:
        keys = [self._plain(each, refers_to) for each in argument[:_THREE]]
        if all(isinstance(key, str | int) for key in keys):
            found = _at(self.template, "Mappings", *map(str, keys))
            if found is not None and _is_small(found):
                return found
        return UNKNOWN

    # -- conditions

    def _truth(self, written: Any) -> bool | None:
        if not isinstance(written, dict) or len(written) != 1:
            return None
        ((name, argument),) = written.items()
        found: bool | None = None
        match name, argument:
            case "Condition", str():
                found = self.holds(argument)
            case "Fn::Equals", [one, other]:
                found = _equal(self.value(one).plain, self.value(other).plain)
            case "Fn::Not", [one]:
                truth = self._truth(one)
                found = None if truth is None else not truth
            case "Fn::And", list():
                found = _settled([self._truth(each) for each in argument], by=False)
            case "Fn::Or", list():
                found = _settled([self._truth(each) for each in argument], by=True)
        return found


def _equal(one: Any, other: Any) -> bool | None:
    if UNKNOWN in (one, other) or isinstance(one, dict | list) or isinstance(other, dict | list):
        return None
    return _text(one) == _text(other)


def _settled(truths: list[bool | None], *, by: bool) -> bool | None:
    """Whether all hold, or any: one truth settles it, whatever the others are."""
    if by in truths:
        return by
    return None if None in truths else not by


def _selected(index: Any, choices: Any) -> Any:
    number = _text(index)
    if isinstance(choices, list) and number is not None and number.isdecimal() and int(number) < len(choices):
        return choices[int(number)]
    return UNKNOWN


def _text(value: Any) -> str | None:
    """A value as it stands in a text; None for one that cannot."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _default(parameter: Any) -> Any:
    """What a parameter is where nobody sets it; UNKNOWN for a secret, and for what is looked up."""
    if (
        not isinstance(parameter, dict)
        or "Default" not in parameter
        or parameter.get("NoEcho") not in _ECHOED
    ):
        return UNKNOWN
    default, kind = parameter["Default"], parameter.get("Type")
    if not isinstance(kind, str) or not _is_small(default) or kind.startswith("AWS::SSM::"):
        return UNKNOWN
    if isinstance(default, str) and (kind.startswith("List<") or kind == "CommaDelimitedList"):
        parts = [part.strip() for part in default.split(",")] if default else []
        return parts if _is_small(parts) else UNKNOWN
    return default if isinstance(default, str | int | float) else UNKNOWN


def _is_small(value: Any) -> bool:
    """Whether any number of resources may have it."""
    if isinstance(value, list):
        return len(value) <= _LONGEST_LIST and all(isinstance(each, str | int | float) for each in value)
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST_VALUE)


def _at(value: Any, *path: str) -> Any:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
