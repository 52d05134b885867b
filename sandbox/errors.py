"""Errors that a person can act on.

Everything in the sandbox that fails for a reason outside its own code raises `SandboxError`: what is wrong,
and what to do about it. Commands print it as it is; anything else that escapes is a bug of ours.
"""


class SandboxError(Exception):
    """One fault of the sandbox, in words, with its remedy.

    `what` says what happened, and to what (a name, a port, a path). `remedy` says what to do next. `detail`
    is longer evidence, such as the end of a log, shown below both.
    """

    def __init__(self, what: str, remedy: str, *, detail: str = "") -> None:
        """Keep the three parts apart, so that a command can lay them out."""
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.detail = detail

    def __str__(self) -> str:
        """The fault on one line, its remedy on the next, the evidence below."""
        lines = [self.what, f"  remedy: {self.remedy}" if self.remedy else "", self.detail]
        return "\n".join(line for line in lines if line)
