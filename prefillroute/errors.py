"""The one exception that stands for a user's mistake."""


class UserError(ValueError):
    """Bad input that a person can fix: one line, ``<file, key or thing>: expected <X>, found <Y>; <way out>``.

    The command line prints the message and exits with status 1; a notebook sees an ordinary ``ValueError``.
    """
