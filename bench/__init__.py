"""Speed, measured as ratios against a baseline of the same run (see README.md)."""
