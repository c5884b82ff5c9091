"""What every vendor of slow checks does, in words that do not depend on the vendor."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["RiskProvider", "VendorAnswer", "VendorLine", "provider_for"]

# For one call; a vendor is slow in days, not in answering the telephone.
CALL_SECONDS = 10.0


@dataclass(frozen=True)
class VendorLine:
    """Where the vendor is and with what key; it does not leave this app."""

    provider: str
    base_url: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True)
class VendorAnswer:
    """What came of one call.

    `decision` is approve, review or decline once the vendor knows, empty before. `reference` is the
    vendor's name for the question, empty while it has not taken it. `error` says why nothing was learned.
    """

    decision: str = ""
    reference: str = ""
    error: str = ""


class RiskProvider(Protocol):
    """One vendor. No call is made inside a transaction, and none raises for what the vendor does."""

    provider: str

    def ask(self, *, line: VendorLine, reference: str, request: Mapping[str, Any]) -> VendorAnswer:
        """Put the question; the same reference twice is the same question."""
        ...

    def look(self, *, line: VendorLine, vendor_reference: str) -> VendorAnswer:
        """Ask whether there is an answer by now."""
        ...


def provider_for(name: str) -> RiskProvider:
    """Return a vendor's client. Raises KeyError for a name without one."""
    # Clients import this module, so they are imported when they are asked for.
    from risk.providers.assessments import AssessmentsProvider

    clients: dict[str, type[RiskProvider]] = {AssessmentsProvider.provider: AssessmentsProvider}
    return clients[name]()
