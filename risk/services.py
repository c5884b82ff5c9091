"""The only way to write risk. What happens inside has a file for each subject."""

from risk.assessing import assess
from risk.checks import replay_check
from risk.dry_run import dry_run
from risk.lists import add_to_list, create_list, remove_from_list
from risk.outcomes import note_outcome, note_verdict
from risk.rules import activate_rule, draft_rule, retire_rule, shadow_rule
from risk.vendors import set_vendor

__all__ = [
    "activate_rule",
    "add_to_list",
    "assess",
    "create_list",
    "draft_rule",
    "dry_run",
    "note_outcome",
    "note_verdict",
    "remove_from_list",
    "replay_check",
    "retire_rule",
    "set_vendor",
    "shadow_rule",
]
