"""From resources of whatever source to the facts that the rules read."""
