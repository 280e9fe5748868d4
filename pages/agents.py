"""Agents: calls of programs with their tokens, newest first; for administrators."""

import streamlit as st

from app.admin import agents as agent_parts
from app.components import cards, log_table
from app.data import accounts, agents

# Load: for administrators only; each read checks the permission
members = accounts.list_members()
counts = agents.count_calls()

# Render
cards.show_page_header("API & agents", "Every call of a program over MCP, newest first")
agent_parts.show_address(agents.get_mcp_url())
if not agents.has_calls():
    agent_parts.show_no_calls()
    st.stop()
agent_parts.show_figures(counts)

# Choose
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    outcome = agent_parts.choose_outcome()
    person = agent_parts.choose_person(members)

agent_parts.show_calls(agents.list_calls(outcome, person, log_table.get_cursor(agent_parts.LOG)))
