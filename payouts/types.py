"""What crosses to other apps: frozen values, never rows."""

from payouts.destinations.types import BlockData, DestinationData, NameEvidence, Twin

__all__ = ["BlockData", "DestinationData", "NameEvidence", "Twin"]
