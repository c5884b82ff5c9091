"""The only way to write risk. What happens inside has a file for each subject."""

from risk.assessing import assess
from risk.checks import replay_check
from risk.outcomes import note_outcome, note_verdict

__all__ = ["assess", "note_outcome", "note_verdict", "replay_check"]
