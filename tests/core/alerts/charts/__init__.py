"""Tests of the charts of alerts."""
