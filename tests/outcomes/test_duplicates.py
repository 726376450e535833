"""Groups of duplicates are the connected components that SciPy finds."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from prefillroute.outcomes.duplicates import duplicate_groups


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=40),
    st.randoms(),
)
def test_prompts_and_near_duplicates_are_joined(rows, random):
    random.shuffle(rows)
    frame = pd.DataFrame(
        {
            "prompt": [f"question  {prompt}" for prompt, _ in rows],
            "near_dup_group": [group for _, group in rows],
        }
    )
    edges = [(prompt, 13 + group) for prompt, group in rows if group is not None]
    first, second = zip(*edges, strict=True) if edges else ((), ())
    graph = coo_matrix((np.ones(len(edges)), (first, second)), shape=(23, 23))
    labels = connected_components(graph, directed=False)[1]
    expected = pd.factorize(labels[[prompt for prompt, _ in rows]])[0]
    np.testing.assert_array_equal(duplicate_groups(frame), expected)


def test_a_long_chain_is_one_group():
    links = np.random.default_rng(0).permutation(3000)
    frame = pd.DataFrame(
        {
            "prompt": [f"{link // 2}" for link in links],
            "near_dup_group": [(link + 1) // 2 for link in links],
        }
    )
    assert (duplicate_groups(frame) == 0).all()


def test_no_queries_and_a_column_without_groups():
    assert duplicate_groups(pd.DataFrame({"prompt": [], "near_dup_group": []})).tolist() == []
    frame = pd.DataFrame({"prompt": ["a", "b", "a "], "near_dup_group": [None, None, None]})
    assert duplicate_groups(frame).tolist() == [0, 1, 0]
