"""The tab Ratings: rating and number of ratings over time."""

import streamlit as st

from app import keys
from app.data.history import PeriodView
from app.data.prebuilt_figure import PrebuiltFigure
from core.chart_theme import PLOTLY_CONFIG
from core.history.product_summary import ProductSummary
from core.history.timeline import statistics_text


def show_ratings(_head: ProductSummary, period: PeriodView) -> None:
    st.plotly_chart(
        PrebuiltFigure(period.rating_and_count),
        key=keys.RATING_CHART,
        config=PLOTLY_CONFIG,
        alt=statistics_text.ratings_text(period.statistics),
    )
