"""Charts of alerts: the value around a moment, a rule tried on one product, alerts by week."""
