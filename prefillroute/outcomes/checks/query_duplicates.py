"""Queries that are the same but for case, punctuation and white space."""

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from prefillroute.outcomes.checks.contract import NOTE, WARNING, Check, Evidence, Finding
from prefillroute.outcomes.duplicates import GROUP_COLUMN

_MARKS = ".,;:!?\"'`()[]{}<>*_“”‘’…"
"""Taken off the ends of words only, so that 2.5 and 25, -1 and 1 stay apart."""


def folded(prompts: Sequence[str]) -> list[str]:
    """Prompts without the difference of case, of compatible Unicode forms, of white space and of marks around words.

    Example:
        >>> folded(["What is 2.5 + 1?", "what  is “2.5” + 1", "What is 25 + 1?"])
        ['what is 2.5 + 1', 'what is 2.5 + 1', 'what is 25 + 1']
    """
    words = (unicodedata.normalize("NFKC", prompt).casefold().split() for prompt in prompts)
    return [" ".join(word.strip(_MARKS) or word for word in each) for each in words]


class QueryDuplicates(Check):
    """Duplicates that a split does not know of make test results too good."""

    def find(self, pool: Evidence) -> Iterator[Finding]:
        """A note on the groups that a split keeps together, and a warning for suspects that it does not."""
        if pool.outcomes is None:
            return
        known = pool.outcomes.duplicates
        sizes = np.bincount(known)
        if (sizes > 1).any():
            what = f"{sizes[sizes > 1].sum():,} queries are duplicates in {(sizes > 1).sum():,} groups"
            yield Finding(NOTE, "queries", f"{what}, which no split or fold divides", "")
        same = np.array(folded(pool.outcomes.queries["prompt"].tolist()), dtype=object)
        groups = pd.DataFrame({"same": pd.factorize(same)[0], "known": known})
        apart = groups.groupby("same")["known"].transform("nunique").to_numpy() > 1
        if apart.any():
            rows = np.flatnonzero(apart)
            first = groups["same"].iloc[rows[0]]
            ids = pool.outcomes.queries["query_id"][groups["same"] == first].tolist()[:2]
            what = (
                f"{len(rows):,} queries differ only in case or punctuation, such as '{ids[0]}' and '{ids[1]}', and may "
                "be in different parts"
            )
            yield Finding(
                WARNING, "queries", what, f"give those of one group the same value in a column {GROUP_COLUMN}"
            )
