"""The bases of all API views: a closed set of query parameters, and POST that is done once."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from core.api.caller import Caller
from core.api.envelope import JSON
from core.api.errors import InvalidParameter, MalformedRequest, UnknownParameter
from core.api.headers import single_header
from core.api.limiting import LimitedView
from core.api.openapi import Operation
from core.api.serializers import StrictSerializer, read_body
from core.api.strict_json import check_text
from core.canonical import canonical_json
from core.card_data import CardDataForbidden, contains_card_number
from core.errors import DomainError
from core.failpoints import failpoint
from core.history import Changes
from core.idempotency import Answer, AnswerPlace, answer_once, fingerprint, read_key
from core.ids import public_id
from core.log_context import note
from core.transactions import at_edge

__all__ = ["ApiView", "PostOnceView", "json_response"]


class ApiView(LimitedView):
    """A view that declares scope, contract and class of call per method, and the parameters of lists."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    scopes: ClassVar[Mapping[str, str]] = {}
    operations: ClassVar[Mapping[str, Operation]] = {}
    query_parameters: ClassVar[Collection[str]] = ()

    @classmethod
    def usual_class(cls, method: str) -> str:
        """Return the class of calls that nobody declared: what has pages is a list."""
        has_pages = method == "GET" and "cursor" in cls.query_parameters
        return "list" if has_pages else super().usual_class(method)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, authorise, limit, then refuse query parameters that the view does not know."""
        super().initial(request, *args, **kwargs)
        if contains_card_number(request.path):
            raise CardDataForbidden
        if request.auth is not None:
            note(merchant_id=public_id("mer", self.caller.merchant_id), caller=self.caller.actor, **kwargs)
        allowed = self.query_parameters if request.method in ("GET", "HEAD") else ()
        for name, values in request.query_params.lists():
            if any(contains_card_number(text) for text in (name, *values)):
                raise CardDataForbidden(param=name if name in allowed else None)
            if name not in allowed:
                raise UnknownParameter(param=name if name.isidentifier() and len(name) <= 64 else None)
            if len(values) > 1:
                raise InvalidParameter("The parameter is given twice.", param=name)
            try:
                check_text(values[0])
            except DomainError as error:
                raise error.at(name) from None

    @property
    def caller(self) -> Caller:
        """The authenticated key."""
        return cast(Caller, self.request.auth)


class PostOnceView(ApiView):
    """A view whose POST honours the Idempotency-Key, or requires it where money moves.

    The record of the key, the work and the rendered answer are one transaction.
    """

    Input: ClassVar[type[StrictSerializer]]
    is_key_required: ClassVar[bool] = False
    _place: AnswerPlace | None = None

    @classmethod
    def usual_class(cls, method: str) -> str:
        """Return the class of calls that nobody declared: what needs the key moves money."""
        return "money" if method == "POST" and cls.is_key_required else super().usual_class(method)

    def work(self, *, data: dict[str, Any], **path: Any) -> tuple[int, dict[str, Any]]:
        """Do what the request asks, inside the transaction; return the 2xx status and the object."""
        raise NotImplementedError

    def store_answer(self, status: int, body: dict[str, Any], changes: Changes) -> None:
        """Store the answer of `work` with the changes that it is about to save; it must return the same."""
        if self._place is not None:
            self._place.store(_rendered(status, body), changes)

    def post(self, request: Request, **path: Any) -> HttpResponse:
        """Read the request, do the work once, answer."""
        key = read_key(single_header(request, "Idempotency-Key"), is_required=self.is_key_required)
        if request.headers.get("Transfer-Encoding") and not request.headers.get("Content-Length"):
            raise MalformedRequest("Send a Content-Length.")
        digest = fingerprint(method="POST", path=request.path, body=canonical_json(request.data))
        data = read_body(self.Input, request)
        answer = self._once(key, digest, data, path)
        failpoint("idem.after_commit")
        if key is not None and not answer.is_replay:
            answer = self.follow_up(key, answer)
        return self.respond(answer)

    def follow_up(self, key: str, answer: Answer) -> Answer:
        """Do what the store waits for beyond the commit; return the answer that is stored under the key.

        Another answer than the committed one must have been committed in its place (`replace_answer`), so
        that a repeat of the request is told the same.
        """
        return answer

    def respond(self, answer: Answer) -> HttpResponse:
        """Turn the committed answer into HTTP."""
        response = HttpResponse(answer.body, status=answer.status, content_type=JSON)
        if answer.is_replay:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    @at_edge
    def _once(self, key: str | None, digest: bytes, data: dict[str, Any], path: dict[str, Any]) -> Answer:
        def run() -> Answer:
            status, body = self.work(data=data, **path)
            stored = self._place.stored if self._place else None
            return stored or _rendered(status, body)

        if key is None:
            return run()
        self._place = AnswerPlace(merchant_id=self.caller.merchant_id, key=key, digest=digest)
        return answer_once(place=self._place, work=run)


def _rendered(status: int, body: dict[str, Any]) -> Answer:
    if not 200 <= status < 300:
        raise RuntimeError("refuse by raising, so that the transaction is rolled back")
    return Answer(status, JSONRenderer().render(body))


def json_response(body: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    """Return a JSON answer."""
    return HttpResponse(JSONRenderer().render(body), status=status, content_type=JSON)
