"""The CrossGuard pack: the placement rules, judged on resources at preview and update.

`bags` reads properties that may not be known, `subjects` turns one resource into facts, `relations` and
`ties` add what only the whole stack shows, `pack` makes policies of the rules. Only `__main__` creates the
pack: doing that starts a server that never returns.
"""
