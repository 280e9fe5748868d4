"""Reports as JSON, with the version of their form. Pure."""

from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from core.errors import NotFoundError
from core.reports.content import Report

VERSION: Final = 1
_REPORTS: Final = TypeAdapter(Report)


def dump_report(report: Report) -> dict[str, Any]:
    """Return a report as JSON values. Amounts are minor units, dollars are text."""
    return {"version": VERSION, "report": _REPORTS.dump_python(report, mode="json")}


def load_report(stored: Any) -> Report:
    """Return a report that `dump_report` wrote. Raises NotFoundError for another version's."""
    try:
        if stored["version"] != VERSION:
            raise NotFoundError("This report was made by another version and can't be shown.")
        return _REPORTS.validate_python(stored["report"])
    except (ValidationError, KeyError, TypeError) as error:
        raise NotFoundError("This report can't be read.") from error
