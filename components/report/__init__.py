"""A plan as one page that can be mailed, archived and printed.

    page(plan) -> str

The page carries all that it shows, fetches nothing, runs no script, and its policy forbids both. The same
plan gives the same bytes.
"""

from components.report.page import page

__all__ = ["page"]
