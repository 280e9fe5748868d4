"""Frozen reports: one HTML file each that holds its data, runs nothing and asks no address."""
