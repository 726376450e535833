"""The terminal, or the file in its place: tables and bars with names as they are.

rich takes `[high]` for markup, `:free:` for an emoji, and lets an escape character through to the terminal. A
``Screen`` takes no string for anything but text, so nothing else of the package makes a rich console.
"""

import sys
from typing import TextIO

from rich.console import Console, HighlighterType, JustifyMethod, OverflowMethod
from rich.measure import Measurement
from rich.progress import ProgressColumn, Task
from rich.style import Style
from rich.table import Table
from rich.text import Text

from prefillroute.text.printing import close_quietly
from prefillroute.text.visible import encodable, visible

NAME_WIDTH = 20
"""Columns of characters that are left to a long name at least; what is longer folds."""
WIDEST = 10_000


class Screen(Console):
    """A rich console on which every string is one line of text.

    Args:
        stderr: write to standard error instead of standard output.
        columns: width where the stream is no terminal and `COLUMNS` is not set.
        file: write to this stream, which is so many columns wide.
        terminal: whether the stream understands bars and bold type; null looks at the stream.
    """

    def __init__(
        self,
        *,
        stderr: bool = False,
        columns: int = 120,
        file: TextIO | None = None,
        terminal: bool | None = None,
    ) -> None:
        stream = file or (sys.stderr if stderr else sys.stdout)
        super().__init__(
            file=stream, force_terminal=terminal, markup=False, emoji=False, highlight=False, soft_wrap=True
        )
        if file is not None or (self._width is None and not self.is_terminal):
            self._width = columns

    def shown(self, text: str) -> str:
        """A text as this stream can show it."""
        return encodable(visible(text), self.encoding)

    def lines(self, *lines: str) -> Text:
        """Several lines in one cell."""
        return Text("\n".join(map(self.shown, lines)))

    def styled(self, *pieces: str | tuple[str, str]) -> Text:
        """A line of pieces, some with a style: ``("name", "bold")``."""
        return Text.assemble(
            *(
                self.shown(piece) if isinstance(piece, str) else (self.shown(piece[0]), piece[1])
                for piece in pieces
            )
        )

    def table(self, table: Table) -> None:
        """Print a table whole: where the screen is narrower than its figures, lines run over and lose no digit."""
        names = [column for column in table.columns if not column.no_wrap]
        for column in names:
            column.max_width = NAME_WIDTH
        needed = Measurement.get(self, self.options.update(width=WIDEST), table).maximum
        for column in names:
            column.max_width = None
        own = self._width
        self.width = max(self.width, needed)  # rich prints nothing wider than its console
        self.print(table)
        self._width = own

    def render_str(
        self,
        text: str,
        *,
        style: str | Style = "",
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        emoji: bool | None = None,
        markup: bool | None = None,
        highlight: bool | None = None,
        highlighter: HighlighterType | None = None,
    ) -> Text:
        """What rich makes of every string that is printed: text, never markup."""
        return Text(self.shown(text), style=style, justify=justify, overflow=overflow)

    def on_broken_pipe(self) -> None:
        """The reader is gone: print nothing more and let the work go on."""
        self.quiet = True
        close_quietly(self.file)


class Words(ProgressColumn):
    """A task's description, or one of its fields, in a progress bar.

    Args:
        field: name of the field; the description when it is None.
    """

    def __init__(self, field: str | None = None) -> None:
        self._field = field
        super().__init__()

    def render(self, task: Task) -> Text:
        """The words as text."""
        return Text(visible(task.description if self._field is None else str(task.fields[self._field])))
