"""The control function: what runs here, where, and why. Never on the way of a request to a model."""
