"""Parts of the Alerts screen: open issues, past incidents, rules."""
