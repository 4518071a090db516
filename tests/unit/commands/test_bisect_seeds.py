"""What does not go with a search over many seeds, and what goes with it alone."""

import pytest

from tests.unit.commands.test_bad_input import check_one_line

RELEASE = ("bisect", "release", "--backend", "jax", "--package", "numpy", "--good", "2.0.0")
MANY = ("--tolerance", "distribution")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((*MANY, "--only", "weights/*"), ("--only is of arrays", "--primary")),
        ((*MANY, "--all"), ("--all does not go with --tolerance distribution", "--good")),
        (("--seeds", "20"), ("--seeds is for --tolerance distribution",)),
        (("--primary", "costs/test"), ("--primary is for --tolerance distribution",)),
        ((*MANY, "--seeds", "9"), ("9",)),
        (("--tolerance", "distributions"), ("write identical, baseline, distribution, or",)),
    ],
)
def test_options_that_do_not_go_together(keras_repro, options, says):
    check_one_line(keras_repro(*RELEASE, *options), 2, *says)
