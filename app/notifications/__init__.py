"""Parts of the Notifications screen: channels, choices, delivery log."""
