"""What someone probably meant who wrote a word that is not known."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_CLOSE: Final = 0.6
_LISTED_AT_MOST: Final = 12


def closest_key(word: str, keys: Iterable[str]) -> str | None:
    """The key that `word` is a misspelling of: another case, a letter wrong, `-` for `_`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).replace("-", "_").lower()
    close = get_close_matches(snake, list(keys), n=1, cutoff=_CLOSE)
    return close[0] if close else None


def choose(value: object, words: Iterable[str], otherwise: str = "") -> str:
    """Remedy for a word that is none of `words`; `otherwise` where there is nothing to choose from."""
    known = list(dict.fromkeys(words))
    if not known:
        return otherwise
    listed = ", ".join([*known[:_LISTED_AT_MOST], *(["…"] if len(known) > _LISTED_AT_MOST else [])])
    folded = {word.lower(): word for word in known}
    close = (
        get_close_matches(value.lower(), list(folded), n=1, cutoff=_CLOSE) if isinstance(value, str) else []
    )
    if close:
        return f"did you mean {folded[close[0]]}? Known here: {listed}"
    return f"choose from {listed}"
