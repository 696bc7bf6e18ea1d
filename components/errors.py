"""The one exception for mistakes that a user can mend.

Its text is shown as it is, without a stack trace, so it says what is wrong, where, and the remedy.
"""


class UserError(Exception):
    """An ordinary mistake in data, configuration or request.

    Raised anywhere in a node; the runners find it even when Beam wraps it, and print only its text.
    """
