"""Text from elsewhere made safe to show.

Names come from files that anybody may have written. What cannot be seen, or moves what is around it (control
characters, escape sequences of terminals, marks that turn the direction of writing), is shown as the escape
that a programmer would write for it.
"""

from typing import Final

LONGEST: Final = 1000
"""Characters of one text that are shown."""


def visible(text: str, at_most: int = LONGEST) -> str:
    """A text on one line, with nothing in it that is not seen, and not longer than that."""
    if len(text) > at_most:
        text = f"{text[: at_most - 1]}\N{HORIZONTAL ELLIPSIS}"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
