"""The colours of the page, for light and for dark paper.

Homes and answers keep apart for eyes that see red and green alike: their hues follow M. Okabe and K. Ito,
darkened or lightened until text in them is readable (WCAG 2.2, contrast of 4.5 and more). No colour says
anything alone: lines have labels and dashes, answers have words and signs.
"""

from collections.abc import Mapping
from typing import Final

LIGHT: Final[Mapping[str, str]] = {
    "paper": "#fcfcfb",
    "raised": "#f3f3f0",
    "rule": "#dad9d3",
    "ink": "#1d1f21",
    "quiet": "#5a5f63",
    "link": "#0a5a9c",
    "function": "#0a5a9c",
    "reserved-function": "#8a3a7c",
    "pool": "#a34300",
    "metal": "#00674f",
    "fits": "#00674f",
    "refused": "#a8241a",
    "undecided": "#7a5600",
    "part-1": "#0a5a9c",
    "part-2": "#a34300",
    "part-3": "#00674f",
    "part-4": "#8a3a7c",
    "part-5": "#7a5600",
    "part-6": "#5a5f63",
}

DARK: Final[Mapping[str, str]] = {
    "paper": "#16181a",
    "raised": "#202326",
    "rule": "#3a3e42",
    "ink": "#e8e8e4",
    "quiet": "#a5abb0",
    "link": "#7fc0f5",
    "function": "#7fc0f5",
    "reserved-function": "#e3a3d4",
    "pool": "#f5a262",
    "metal": "#4fc9a4",
    "fits": "#4fc9a4",
    "refused": "#ff9488",
    "undecided": "#e6bd55",
    "part-1": "#7fc0f5",
    "part-2": "#f5a262",
    "part-3": "#4fc9a4",
    "part-4": "#e3a3d4",
    "part-5": "#e6bd55",
    "part-6": "#a5abb0",
}

PARTS: Final = sum(name.startswith("part-") for name in LIGHT)
"""Colours for the parts of a bar, in turn."""


def variables() -> str:
    """Both as custom properties of CSS; paper that is printed on is light."""
    return (
        f":root {{ color-scheme: light dark; {_set(LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_set(DARK)} }} }}\n"
    )


def _set(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
