"""Enforces the placement rules on resources: at preview and update, and over anything that is there already.

`resources` is what every source comes down to, `reading` turns one resource into facts and adds what only
several show together, `judging` asks the rules. `pack` makes CrossGuard policies of that. Only `__main__`
creates the pack: doing that starts a server that never returns.
"""
