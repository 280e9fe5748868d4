"""A chart that was drawn before, at its final height."""

import streamlit as st

from app.data.alerts import ChartView
from app.data.prebuilt_figure import PrebuiltFigure
from core.chart_theme import PLOTLY_CONFIG


def show_fixed_chart(view: ChartView, height: int, *, key: str, box: str) -> None:
    """Show a chart. `box`: the key of its container."""
    # A container of the final height: nothing jumps while the chart's code is loaded.
    with st.container(height=height, border=False, key=box):
        st.plotly_chart(
            PrebuiltFigure(view.chart), height=height, key=key, config=PLOTLY_CONFIG, alt=view.alt
        )
