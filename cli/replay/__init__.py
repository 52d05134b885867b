"""`halfmetal replay`: a request log played through every topology, side by side.

`question` makes one of a log and a stack file, the command asks it, and each other module shows the answer in
one form.
"""

from cli.replay.command import replay

__all__ = ["replay"]
