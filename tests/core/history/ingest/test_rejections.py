"""Which observations can't be stored."""

from core.history.ingest import rejections
from core.history.ingest.snapshot_rows import COPIED


def test_the_numbers_that_must_fit_are_those_of_the_columns() -> None:
    kinds = {"int8": rejections.AMOUNTS, "int4": rejections.COUNTS, "int2": rejections.SHARES}
    codes = {"price_basis", "fulfilment", "availability"}  # of enumerations
    for kind, names in kinds.items():
        columns = {name for name, each in COPIED.items() if each == kind}
        assert set(names) == columns - codes
