"""Health: is everything fine, and if not, what is wrong and how it is mended."""

import streamlit as st

from app import data
from app.admin import health as health_parts
from app.components import cards
from app.data import operations
from app.suggestions import model_status
from core.text.times import format_moment

# Load
health = operations.health_now()
runs = operations.fetch_runs()
outcomes = operations.outcomes()
jobs = operations.job_runs()

# Render
zone = data.principal().time_zone
as_of = format_moment(health.as_of, zone)
with cards.page_header("Health", f"As of {as_of} ({zone})"):
    st.button("Check again", icon=":material/refresh:", on_click=operations.forget_health)

health_parts.answer(health)
health_parts.figures(health)
health_parts.providers(health)
model_status.advisors(health.as_of)
health_parts.failures(outcomes, health.as_of)
health_parts.unreadable(health)
health_parts.runs(runs, health.as_of)
health_parts.jobs(jobs, health.as_of)
health_parts.storage(health)
