"""What can go wrong, in words a person may read. No logging, no handling."""


class AmazcopeError(Exception):
    """Base of every error raised on purpose. Its message says what to do."""


class NotFoundError(AmazcopeError):
    """What was asked for does not exist, or not for this person."""


class NotAllowedError(AmazcopeError):
    """The acting person may not do this."""


class InvalidInputError(AmazcopeError):
    """What was given can't be used; the message says what would be."""


class ConfigurationError(AmazcopeError):
    """A setting is missing or contradicts another."""


class OutsideServiceError(AmazcopeError):
    """A service outside did not do what was asked."""
