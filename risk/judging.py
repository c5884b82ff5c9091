"""From a payment and its rules to a decision: the same whatever the order of the rules.

A rule never sees another's answer. What decides, in this order: a hit that declines, a hit that lets
through (a list of trusted buyers, say), a hit that asks for a person, and then the sum of the scores.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from core.rows import Query, read_together
from risk.kinds import Answer
from risk.known import Known
from risk.policy import Rule
from risk.types import APPROVE, DECLINE, REVIEW, Hit

__all__ = ["Verdict", "combine", "evaluate"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What the hits come to. `is_trusted`: something said outright that it may pass."""

    decision: str
    score: int
    reasons: tuple[str, ...]
    is_trusted: bool


def evaluate(rules: Sequence[Rule], known: Known) -> tuple[Hit, ...]:
    """Ask every rule, with one trip to the database for all of them; return those that said something.

    A rule that breaks is answered for by its own policy; the others do not notice.
    """
    asked: list[tuple[Rule, Query | None, str]] = [_ask(rule, known) for rule in rules]
    queries = [query for _, query, _ in asked if query is not None]
    found = iter(read_together(*queries) if queries else [])
    hits = [
        _hear(rule, known, [] if query is None else next(found), problem) for rule, query, problem in asked
    ]
    said = [hit for hit in hits if hit is not None]
    return tuple(sorted(said, key=lambda hit: (hit.is_shadow, hit.rule, hit.version)))


def combine(hits: Iterable[Hit], *, review_from: int, decline_from: int) -> Verdict:
    """Return the decision that the hits come to; shadow rules have no say."""
    counted = [hit for hit in hits if not hit.is_shadow]
    score = sum(hit.score for hit in counted)
    said = {hit.decision for hit in counted}
    is_trusted = DECLINE not in said and APPROVE in said
    if DECLINE in said:
        decision = DECLINE
    elif is_trusted:
        decision = APPROVE
    elif score >= decline_from:
        decision = DECLINE
    elif REVIEW in said or score >= review_from:
        decision = REVIEW
    else:
        decision = APPROVE
    reasons = tuple(sorted({hit.reason for hit in counted if hit.decision or hit.score}))
    return Verdict(decision=decision, score=score, reasons=reasons, is_trusted=is_trusted)


def _ask(rule: Rule, known: Known) -> tuple[Rule, Query | None, str]:
    if rule.test is None:
        return rule, None, rule.problem or "it cannot be understood"
    try:
        return rule, rule.test.question(known), ""
    except Exception as error:
        return rule, None, _broke(rule, error)


def _hear(rule: Rule, known: Known, rows: Sequence[tuple[Any, ...]], problem: str) -> Hit | None:
    if not problem and rule.test is not None:
        try:
            return _hit(rule, rule.test.answer(known, rows))
        except Exception as error:
            problem = _broke(rule, error)
    return Hit(
        rule=rule.name,
        version=rule.version,
        decision="" if rule.on_error == "ignore" else rule.on_error,
        score=0,
        reason=f"{rule.name} is broken",
        is_shadow=rule.is_shadow,
        error=problem[:200],
    )


def _broke(rule: Rule, error: Exception) -> str:
    log.error("risk_rule_broken", rule=rule.name, version=rule.version, exc_info=error)
    return f"{type(error).__name__}: {error}"


def _hit(rule: Rule, answer: Answer) -> Hit | None:
    if not answer.is_hit:
        return None
    # Whatever scores does so by its score; only a rule that says nothing at all leaves it to what it found.
    decision = rule.decision or ("" if rule.score else answer.decision)
    return Hit(
        rule=rule.name,
        version=rule.version,
        decision=decision,
        score=rule.score,
        reason=rule.reason,
        is_shadow=rule.is_shadow,
        detail=answer.detail,
    )
