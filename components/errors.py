"""An error the user can fix; its message is shown without a traceback."""


class UserError(Exception):
    """A mistake in data, configuration or request.

    The message says what is wrong, where, what was received, and ends with a hint. It may be raised anywhere in a node:
    the runners find it even if Beam wraps it, and print only its message.
    """
