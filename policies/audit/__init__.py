"""The rules over what is already there, and over what somebody else is about to make."""
