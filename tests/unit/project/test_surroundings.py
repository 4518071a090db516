"""Changed surroundings are conditions: in the configuration, on the command line, in a cause."""

import pytest

from keras_repro.errors import UsageError
from keras_repro.project import configuration
from keras_repro.recorder.contract import Conditions

TABLE = '[workloads.mine]\nscript = "train.py"\nhermetic = true\n'


@pytest.fixture
def read(tmp_path):
    """Return the conditions of a workload that is configured with these lines besides."""
    (tmp_path / "train.py").write_text("import keras\n")

    def run(lines):
        (tmp_path / configuration.NAME).write_text(TABLE + lines)
        known = configuration.load(tmp_path / configuration.NAME)
        return known.workloads["mine"].conditions

    return run


def test_they_are_read_and_handed_on(read):
    conditions = read('[workloads.mine.surroundings]\nclock = "+400d"\nentropy = 2\n')
    assert conditions.surroundings == {"clock": "+400d", "entropy": "2"}
    asked = ["--surroundings", "clock=+400d", "--surroundings", "entropy=2"]
    usual, given = Conditions().arguments(), conditions.arguments()
    at = given.index("--hermetic")
    assert given == [*usual[:at], "--hermetic", *asked, *usual[at:]]
    assert conditions.key() != Conditions().key()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('clock = "5"', "'clock=5' means nothing; write +400d, -3h, +10min or +90s"),
        ('hour = "5"', "there is no 'hour'; there are clock, "),
    ],
)
def test_what_means_nothing_is_told_with_its_line(read, line, said):
    with pytest.raises(UsageError) as error:
        read(f"[workloads.mine.surroundings]\n{line}\n")
    assert f"{configuration.NAME}:4: workloads.mine.surroundings: {said}" in str(error.value)


def test_what_means_nothing_on_the_command_line_is_told(keras_repro):
    done = keras_repro("train", "--surroundings", "clock=5")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "keras-repro: --surroundings 'clock=5' means nothing; write +400d"
    )
    assert done.stderr.count("\n") == 1
