"""Asks the model for a paragraph about a report. No transaction may be open.

Nothing that the model or its server does keeps a report from being made: it then has the reason in
place of the paragraph.
"""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Final

from core.database.session import write_scope
from core.reports.content import Report, ReportParagraph
from core.reports.paragraph.prompt import (
    build_paragraph_messages,
    check_paragraph_reply,
    get_paragraph_schema,
    list_paragraph_problems,
)
from core.reports.paragraph.report_data import ReportData, collect_report_data
from core.suggestions.llm.call_log import Outcome
from core.suggestions.llm.config import ModelSetup
from core.suggestions.llm.conversation import Conversation
from core.suggestions.llm.costs import estimate_largest_cost
from core.suggestions.llm.text_calls import (
    KeptText,
    TextQuestion,
    TextReader,
    claim_text,
    close_text,
)
from core.suggestions.model_server.client import Model, ModelAccess

LONGEST_WAIT: Final = 20.0  # seconds for one of two questions: reports of others come after it
log = logging.getLogger(__name__)


def ask_paragraph(
    report: Report, reader: TextReader, subject: str, setup: ModelSetup, now: datetime
) -> ReportParagraph:
    """Return a paragraph about a report, or why it has none. Raises nothing.

    `subject`: names the report; for each the model is asked once.
    """
    if setup.access is None:
        return ReportParagraph(None, None, setup.missing)
    try:
        return _ask(report, reader, subject, setup, setup.access, now)
    except Exception:
        log.exception("The paragraph of a report of user %s failed", reader.person_id)
        return ReportParagraph(None, None, "The paragraph failed for a reason of Amazcope's own.")


def _ask(
    report: Report,
    reader: TextReader,
    subject: str,
    setup: ModelSetup,
    access: ModelAccess,
    now: datetime,
) -> ReportParagraph:
    data = collect_report_data(report)
    conversation = Conversation(
        Model(replace(access, timeout=min(access.timeout, LONGEST_WAIT))),
        build_paragraph_messages(data),
        get_paragraph_schema(),
        lambda reply: check_paragraph_reply(reply, data),
    )
    most = estimate_largest_cost(conversation.messages, setup.price, access.reply_tokens)
    question = TextQuestion(reader, subject, access.model, now, most)
    with write_scope() as session:
        claimed = claim_text(session, question, setup.dollars_per_day)
    if isinstance(claimed, str):
        return ReportParagraph(None, None, claimed)
    if isinstance(claimed, KeptText):
        return _check_kept(claimed, data)
    conversation.run()
    usage, text = conversation.usage, conversation.content
    outcome = Outcome(
        state=conversation.state,
        model=conversation.model_name,
        cost=conversation.calculate_cost(setup.price, most),
        reasons=conversation.reasons,
        replies=conversation.rejected,
        prompt_tokens=usage.prompt_tokens,
        reply_tokens=usage.reply_tokens,
    )
    with write_scope() as session:
        close_text(session, claimed, outcome, text)
    reason = None if text is not None else " ".join(conversation.reasons)
    return ReportParagraph(text, conversation.model_name, reason)


def _check_kept(kept: KeptText, data: ReportData) -> ReportParagraph:
    """Return a text that was written before; the report's figures may be others by now."""
    if kept.text is None:
        return ReportParagraph(None, kept.model, " ".join(kept.reasons))
    problems = list_paragraph_problems(kept.text, data)
    if problems:
        return ReportParagraph(None, kept.model, f"Written before. {' '.join(problems)}")
    return ReportParagraph(kept.text, kept.model, None)
