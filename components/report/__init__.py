"""A plan as one page that can be mailed, archived and printed.

    page(plan) -> str

The page carries all that it shows, fetches nothing, runs no script, and its policy forbids both. The same
plan gives the same bytes.
"""

from typing import TYPE_CHECKING

from components.lazily import lazily

if TYPE_CHECKING:
    from components.report.page import page
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = ["page"]
