"""The view of a POST that may open the provider's page before it answers."""

from typing import Any

from rest_framework.renderers import JSONRenderer

from core.api.views import PostOnceView
from core.drain import Claim
from core.idempotency import Answer, replace_answer, stored_answer
from payments import services

__all__ = ["RegistersInline"]


class RegistersInline(PostOnceView):
    """`work` sets `inline` to the right to open a page, if it was given one."""

    inline: Claim | None = None

    def follow_up(self, key: str, answer: Answer) -> Answer:
        """Open the page; answer with its address if that is stored, and with what is stored in any case."""
        if self.inline is None:
            return answer
        merchant_id = self.caller.merchant_id

        def keep(body: dict[str, Any]) -> None:
            new = JSONRenderer().render(body)
            replace_answer(merchant_id=merchant_id, key=key, old=answer, body=new)

        services.register_inline(claim=self.inline, keep=keep)
        return stored_answer(merchant_id=merchant_id, key=key)
