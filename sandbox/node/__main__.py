"""`python -m sandbox.node`: run the node agent of the sandbox until SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

from sandbox.errors import SandboxError
from sandbox.instance import Instance
from sandbox.node.agent import Agent
from sandbox.node.config import NodeConfig


def main() -> int:
    """Run in the foreground; the exit code says whether the end was asked for."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    # One line per request to the API server would bury what the agent does.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = NodeConfig.of(Instance.load(), os.environ)
        asyncio.run(_run(config))
    except (SandboxError, OSError) as error:
        logging.getLogger(__name__).error("%s", error)
        return 1
    return 0


async def _run(config: NodeConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Agent(config).run(stop)


if __name__ == "__main__":
    sys.exit(main())
