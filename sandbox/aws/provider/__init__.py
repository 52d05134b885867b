"""The AWS provider of the sandbox: what `pulumi-resource-aws` is on a machine that cannot have the real one.

A declarative table says, per resource type, which calls of which service create, read, change and delete
it, and what forces a replacement; a small engine does the rest. It talks to an emulator on loopback and
to nothing else.
"""
