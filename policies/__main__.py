"""Starts the pack. Never import this: making a `PolicyPack` starts a server that does not return."""

from pulumi_policy import PolicyPack

from policies.overrides import of_this_stack
from policies.pack import NAME, policies

if __name__ == "__main__":
    PolicyPack(name=NAME, policies=policies(of_this_stack()))
