"""Tables and progress bars on a terminal or in a file, with names shown exactly as they are.

rich reads `[high]` as markup and `:free:` as an emoji, and passes escape characters on to the terminal. A ``Screen``
treats every string as plain text; nothing else in the package creates a rich console.
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
"""Characters that a column of names gets at least; longer names are folded."""
WIDEST = 10_000


class Screen(Console):
    """A rich console that shows every string as one line of plain text.

    Args:
        stderr: write to standard error instead of standard output.
        columns: width of ``file`` in characters, or of a standard stream that is no terminal if `COLUMNS` is not set.
        file: write to this stream instead.
        terminal: whether the stream supports bars and bold type; None finds out.
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
        """Return a text in a form that this stream can show."""
        return encodable(visible(text), self.encoding)

    def lines(self, *lines: str) -> Text:
        """Return several lines for one cell."""
        return Text("\n".join(map(self.shown, lines)))

    def styled(self, *pieces: str | tuple[str, str]) -> Text:
        """Return one line made of pieces, some of them with a style: ``("name", "bold")``."""
        return Text.assemble(
            *(
                self.shown(piece) if isinstance(piece, str) else (self.shown(piece[0]), piece[1])
                for piece in pieces
            )
        )

    def table(self, table: Table) -> None:
        """Print a whole table; if the screen is narrower than its figures, lines run over rather than lose a digit."""
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
        """Turn a string into text without reading markup; rich calls this for every string it prints."""
        return Text(self.shown(text), style=style, justify=justify, overflow=overflow)

    def on_broken_pipe(self) -> None:
        """Print nothing more after the reader has gone, and let the work go on."""
        self.quiet = True
        close_quietly(self.file)


class Words(ProgressColumn):
    """Shows a task's description, or one of its fields, in a progress bar.

    Args:
        field: name of the field; None shows the description.
    """

    def __init__(self, field: str | None = None) -> None:
        self._field = field
        super().__init__()

    def render(self, task: Task) -> Text:
        """Return the words as text."""
        return Text(visible(task.description if self._field is None else str(task.fields[self._field])))
