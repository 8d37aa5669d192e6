"""Random items as plain Python values, by hypothesis."""

from decimal import Decimal

from hypothesis import strategies as st

from reference import exact

NAMES = st.sampled_from(["a", "A", "S", "Item", "_extra", "a.b", 'q"', "é", "🦐", "\n", "x y"])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(Decimal),
    st.builds(
        lambda digits, exponent: exact(f"{digits}E{exponent}"),
        st.integers(-(10**38) + 1, 10**38 - 1),
        st.integers(-129, 87),
    ),
)
SETS = st.one_of(
    st.sets(TEXT, min_size=1, max_size=3),
    st.sets(NUMBERS, min_size=1, max_size=3),
    st.sets(st.binary(max_size=4), min_size=1, max_size=3),
)
VALUES = st.recursive(
    st.one_of(TEXT, NUMBERS, st.binary(max_size=8), st.booleans(), st.none(), SETS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
ITEMS = st.dictionaries(NAMES, VALUES, max_size=5)
