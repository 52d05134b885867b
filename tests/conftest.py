"""What holds for all tests: how hard the property tests try, and which signals reach what they start.

`--hypothesis-profile quick` is for `make unit`; the default, `whole`, tries every example.
"""

import signal

from hypothesis import HealthCheck, settings

# No deadlines: a busy machine is no fault of the code's. What hypothesis chose by itself (on CI: the same
# examples each time) stays.
settings.register_profile(
    "whole", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("whole"), max_examples=20)
settings.load_profile("whole")

# A shell starts what it puts into the background with Ctrl-C ignored, and every process inherits that: then
# nothing that is started here could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
