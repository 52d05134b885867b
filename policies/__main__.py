"""Starts the pack. Never import this: making a `PolicyPack` starts a server that does not return."""

from pulumi_policy import PolicyPack

from components import clock
from policies.pack import NAME, Pack
from policies.pack.wire import Wire, installed

if __name__ == "__main__":
    PACK = Pack(clock.today())
    with installed(Wire(PACK)):
        PolicyPack(name=NAME, policies=PACK.policies)
