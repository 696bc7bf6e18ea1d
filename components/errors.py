"""An error the user can fix; its message is shown without a traceback."""


class UserError(Exception):
    """A mistake in data, configuration or request.

    The message says what is wrong, where, what was received, and ends with a hint. It may be raised anywhere in a node:
    the runners find it even if Beam wraps it, and print only its message.
    """

    def __init__(self, message: str) -> None:
        """Creates the error.

        Args:
            message: what it quotes from files and servers may hold control characters, which would change the
                terminal; they are escaped.
        """
        super().__init__("\n".join(map(printable, message.split("\n"))))


def printable(text: str) -> str:
    """Text whose control characters are escaped, line breaks included; tabs stay."""
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in text)
