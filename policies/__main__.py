"""Starts the pack. Never import this: making a `PolicyPack` starts a server that does not return."""

from pulumi_policy import PolicyPack

from policies.pack import NAME, policies
from policies.pack.stack import catalog_of, read, this_stack

if __name__ == "__main__":
    STACK = this_stack()
    PolicyPack(name=NAME, policies=policies(read(STACK), catalog=catalog_of(STACK)))
