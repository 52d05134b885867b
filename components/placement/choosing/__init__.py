"""What a stack file leaves open, chosen by the rules, the bill and the percentiles of every place.

`ways` finds the places of each workload, with `alternatives` and `sizing`; `supply` offers the pools' nodes;
`settling` chooses among them and fills the stack in; `topologies` does so for each of the three. OR-Tools,
SciPy and NumPy are imported with this package: a stack file that leaves nothing open never needs it.
"""
