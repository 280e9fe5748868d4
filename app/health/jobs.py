"""Health's table of jobs."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from app.components import data_table
from core.text.times import format_age, format_duration
from core.upkeep.health_queries import JobRow


def show_jobs(jobs: Sequence[JobRow], now: datetime) -> None:
    """Show the jobs of the last 24 hours, failed ones first."""
    if not jobs:
        st.caption("No job has run in the last 24 hours.")
        return
    data_table.show_table(
        pd.DataFrame([_cells(job, now) for job in jobs]),
        "jobs",
        row_height=data_table.ROW_HEIGHT,
        height=data_table.scrolling_height(len(jobs)),
        alt=f"{len(jobs)} jobs, those that failed first",
    )


def _cells(job: JobRow, now: datetime) -> dict[str, object]:
    took = None if job.ended_at is None else (job.ended_at - job.started_at).total_seconds()
    return {
        "Job": job.job,
        "State": job.state,
        "Started": format_age(job.started_at, now),
        "Duration": "not ended" if took is None else format_duration(took),
        "Result": job.error or job.note or ("nothing to do" if job.ended_at else "not ended"),
    }
