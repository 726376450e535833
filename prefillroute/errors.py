"""The one exception that stands for a user's mistake."""


class UserError(ValueError):
    """Bad input that a person can mend: one line naming the file or key, the value found and the value wanted.

    The command line prints the message and exits with status 1; a notebook sees an ordinary ``ValueError``.
    """
