"""What `examples/misplaced` is there to show: the rules that it breaks, and no others."""

BROKEN = (
    "accelerator-needs-metal",
    "memory-over-function-limit",
    "state-locality",
    "runaway-function",
    "zone-capacity",
)
