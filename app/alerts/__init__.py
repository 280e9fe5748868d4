"""Parts of the Alerts screen: the list, one alert in full, what users do with it, silences."""
