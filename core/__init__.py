"""What Amazcope knows and does. Nothing here knows of Streamlit, Huey or MCP."""
