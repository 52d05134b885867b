"""HTML as a tree.

Text that comes from somebody's stack file never meets a string of HTML: it is a node of a tree, and what
writes the tree escapes it. There is no way to put markup in by hand, and so none to forget that.
"""

import re
from collections.abc import Iterable
from typing import Final, TypeAlias
from xml.etree import ElementTree as Tree

Element: TypeAlias = Tree.Element
Child: TypeAlias = "Element | str | Iterable[Child] | None"
Value: TypeAlias = str | float | bool | None

_NOT_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"


def element(tag: str, /, *children: Child, **attributes: Value) -> Element:
    """An element. `class_` stands for class, `aria_label` for aria-label; None and False leave one out."""
    made = Tree.Element(tag)
    for name, value in attributes.items():
        if value is not None and value is not False:
            made.set(name.rstrip("_").replace("_", "-"), "" if value is True else _written(value))
    _append(made, children)
    return made


def document(root: Element) -> str:
    """The whole page, ready to be written."""
    return f"<!doctype html>\n{Tree.tostring(root, encoding='unicode', method='html')}\n"


def _append(parent: Element, children: Iterable[Child]) -> None:
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            _append_text(parent, _NOT_TEXT.sub(_REPLACED, child))
        elif isinstance(child, Tree.Element):
            parent.append(child)
        else:
            _append(parent, child)


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _written(value: str | float) -> str:
    """A tenth of a unit is less than a pixel."""
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return _NOT_TEXT.sub(_REPLACED, str(value))
