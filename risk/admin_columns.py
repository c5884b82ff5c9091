"""What several pages of risk show in the same way."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display
from django.utils.translation import gettext_lazy

from core.admin_display import state
from core.ids import public_id
from merchants.selectors import merchant_names

__all__ = ["MerchantColumn", "decision_word"]

_DECISION_LOOKS = {"approve": "done", "review": "waiting", "decline": "failed"}


def decision_word(word: str) -> str:
    """A decision as word, icon and colour."""
    return state(word, _DECISION_LOOKS[word]) if word else "–"


class MerchantColumn:
    """Shows whose a row is."""

    def name_merchants(self, rows: Iterable[Any]) -> None:
        """One query for the whole page."""
        rows = list(rows)
        names = merchant_names(merchant_ids={row.merchant_id for row in rows})
        for row in rows:
            row.merchant_name = names.get(row.merchant_id, public_id("mer", row.merchant_id))

    @display(description=gettext_lazy("Merchant"))
    def shown_merchant(self, row: Any) -> str:
        """The store."""
        return str(row.merchant_name)
