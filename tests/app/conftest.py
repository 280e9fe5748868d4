"""What tests of the app share."""

from tests.component_scan import one_component_scan

__all__ = ["one_component_scan"]
