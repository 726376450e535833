from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

PASSAGES = [
    "A method is to be written to search an array for a value. What should it return if there are several?\n\n"
    "A. An error, e.g. -1.\nB. The first index\nC. None of these",
    "Let $$f(x) = \\frac{x^{2} - 1}{x + 1}$$ for all x ≠ -1 (cf. §3.2). Find the limit that f does not have.",
    'int main() {\n    int x = 5;\n    printf("%d", x++);\n    return x == 6;\n}\nWhat isn\'t printed?',
    "In the (largely [but not wholly] forgotten) treaty of 1,648 words, nobody's sovereignty was "
    "acknowledged; never again, said Grotius—'tis un\u00adcertain why—would Europe's princes… Who's right?!",
    "Mr. O'Neill's naïve façade didn't fool the IRS: $3,462.20 at 4.5% over 35 months is NOT $102.55. Why?",
    "¿Cuál es la capital de España? 東京は日本の首都です。 Übergröße, straße, İstanbul.",
]


@pytest.fixture(scope="session")
def passages() -> list[str]:
    return PASSAGES


@pytest.fixture(scope="session")
def real_prompts(real_data: Callable[[str], Path]) -> list[str]:
    """Every fiftieth question of MMLU-Pro."""
    return pd.read_parquet(real_data("mmlu_pro") / "queries.parquet")["prompt"].tolist()[::50]
