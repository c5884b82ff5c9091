"""What people can get wrong about rules, lists and vendors."""

from core.errors import DomainError

__all__ = [
    "DryRunMissing",
    "ListEntryExists",
    "ListExists",
    "RuleInvalid",
    "RuleStateConflict",
    "VendorInvalid",
]


class RuleInvalid(DomainError):
    code = "risk_rule_invalid"
    status = 422
    message = "The rule cannot be like this."


class RuleStateConflict(DomainError):
    code = "risk_rule_state_conflict"
    status = 409
    message = "The rule is in another state by now. Look at it again."


class DryRunMissing(DomainError):
    code = "risk_dry_run_missing"
    status = 409
    message = "Run exactly this version over history first; a run is good for a day."


class ListExists(DomainError):
    code = "risk_list_exists"
    status = 409
    message = "There is a list of this name."


class ListEntryExists(DomainError):
    code = "risk_list_entry_exists"
    status = 409
    message = "This value is on the list already."


class VendorInvalid(DomainError):
    code = "risk_vendor_invalid"
    status = 422
    message = "The vendor cannot be set up like this."
