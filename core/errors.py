"""Error classes whose messages can be shown to users. No logging, no handling."""


class AmazcopeError(Exception):
    """Base of every error raised on purpose. Its message names what to do."""


class NotFoundError(AmazcopeError):
    """The requested object does not exist, or not for this user."""


class NotAllowedError(AmazcopeError):
    """The user may not do this."""


class InvalidInputError(AmazcopeError):
    """The input can't be used; the message states what is accepted."""


class ConfigurationError(AmazcopeError):
    """A setting is missing or contradicts another."""


class OutsideServiceError(AmazcopeError):
    """An outside service did not carry out a request."""
