"""Health: does all work, and if not, what is wrong and how to fix it."""

import streamlit as st

from app.components import cards
from app.data import get_principal
from app.data import health as data
from app.health import (
    failed_checks,
    fetch_runs,
    figures,
    jobs,
    providers,
    status,
    storage,
    unreadable_fields,
)
from app.suggestions import model_status
from core.text.times import format_moment

# Load
health = data.read_health()
runs = data.list_fetch_runs()
outcomes = data.count_outcomes()
job_runs = data.list_job_runs()

# Render
zone = get_principal().time_zone
as_of = format_moment(health.as_of, zone)
with cards.show_page_header("Health", f"As of {as_of} ({zone})"):
    st.button("Check again", icon=":material/refresh:", on_click=data.clear_health)

status.show_status(health)
figures.show_figures(health)
providers.show_providers(health)
model_status.show_advisors(health.as_of)
failed_checks.show_failed_checks(outcomes, health.as_of)
unreadable_fields.show_unreadable_fields(health.unreadable, health.as_of)
fetch_runs.show_fetch_runs(runs, health.as_of)
jobs.show_jobs(job_runs, health.as_of)
storage.show_storage(health)
