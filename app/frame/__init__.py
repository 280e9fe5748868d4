"""What surrounds every page: sidebar, navigation, search, theme."""
