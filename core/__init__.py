"""Amazcope's rules, data and operations. Nothing here imports Streamlit, Huey or MCP."""
