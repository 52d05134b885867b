"""How hard the property tests try: `--hypothesis-profile quick` for `make unit`, `whole` otherwise."""

from hypothesis import HealthCheck, settings

# No deadlines: a busy machine is no fault of the code's. What hypothesis chose by itself (on CI: the same
# examples each time) stays.
settings.register_profile(
    "whole", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("whole"), max_examples=20)
settings.load_profile("whole")
