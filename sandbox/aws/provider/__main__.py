"""`python -m sandbox.aws.provider ENGINE_ADDRESS`: what the engine starts as `pulumi-resource-aws`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox.aws.provider.server import serve
from sandbox.paths import state_dir

LEDGER_VARIABLE = "HALFMETAL_AWS_LEDGER"


def main() -> None:
    """Start the plugin. Unknown flags are the engine's own (logging, tracing) and mean nothing here."""
    configured = os.environ.get(LEDGER_VARIABLE, "")
    engine = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), "")
    serve(Path(configured) if configured else state_dir() / "aws-ledger", engine)
    # The interpreter's own exit would wait for requests that the engine has given up on.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
