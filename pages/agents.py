"""Agents: what programs called with whose token, newest first; for administrators."""

import streamlit as st

from app import agent_parts, cards, paging
from app.data import accounts, agents

# Load: for administrators alone, which each of these asks itself
members = accounts.members()
counts = agents.counts_of_a_day()

# Render
with cards.page_header("Agents", "Every call of a program over MCP, newest first."):
    agent_parts.how_to_connect(agents.address())
agent_parts.figures(counts)

# Choose
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    outcome = agent_parts.outcome()
    person = agent_parts.person(members)

found = agents.calls(outcome, person, paging.before(agent_parts.LOG))
agent_parts.calls(found, is_narrowed=outcome is not None or person is not None)
