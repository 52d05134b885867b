"""What an audit reads: states, plans, templates, manifests and what is live, as one list of resources."""

from policies.audit.sources.gathering import gather
from policies.audit.sources.model import Gathered, Kind, Limits, SourceError, Unread

__all__ = ["Gathered", "Kind", "Limits", "SourceError", "Unread", "gather"]
