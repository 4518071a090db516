"""Names of runs, and seeds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_repro.recorder import contract
from keras_repro.recorder.contract import ArrayName, Conditions, Kind

STANDARD = sys.stdlib_module_names | {"__main__"}


@given(st.text())
def test_a_workload_name_is_one_visible_folder(script):
    name = contract.workload_name(script)
    assert name
    assert os.path.basename(name) == name
    assert not name.startswith((".", "-"))
    assert "\0" not in name


def test_workload_names():
    assert contract.workload_name("/a/b/train.py") == "train"
    assert contract.workload_name("../my model.v2.py") == "my-model.v2"
    assert contract.workload_name("...py") == "py"
    assert contract.workload_name("..") == "script"


SEED = next(condition for condition in contract.CONDITIONS if condition.name == "seed")


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "4294967296", "1e3", " 1", "0x1", "١"])
def test_no_seed(text):
    with pytest.raises(ValueError, match="not a whole number"):
        SEED.read(text)


@pytest.mark.parametrize("text", ["0", "1337", "4294967295"])
def test_seed(text):
    assert SEED.read(text) == int(text)


@given(st.text())
def test_any_array_name_is_read_and_written_back(text):
    assert str(ArrayName.parse(text)) == text


@given(
    st.integers(1, 200),
    st.sampled_from([kind for kind in Kind if kind is not Kind.OWN]),
    st.text(min_size=1),
)
def test_every_name_that_is_written_is_read_as_what_it_was(model, kind, rest):
    name = ArrayName(model, kind, rest)
    assert ArrayName.parse(str(name)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("costs/train", (1, Kind.COST, "train")),
        ("model2/initial_weights/0.dense.bias", (2, Kind.INITIAL_WEIGHT, "0.dense.bias")),
        ("model12/predictions/0.1", (12, Kind.PREDICTION, "0.1")),
        ("modelled/predictions/0", (1, Kind.OWN, "modelled/predictions/0")),
        ("model1/weights/0", (1, Kind.OWN, "model1/weights/0")),  # no recorder writes it
        ("my/costs/train", (1, Kind.OWN, "my/costs/train")),
        ("costs", (1, Kind.OWN, "costs")),
        ("costs/", (1, Kind.OWN, "costs/")),
    ],
)
def test_array_names(text, name):
    assert ArrayName.parse(text) == name


@pytest.mark.parametrize(
    ("text", "is_per_step"),
    [
        ("costs/train", True),
        ("model2/costs/train", True),
        ("metrics/train.mae", True),
        ("costs/test", False),
        ("metrics/test.mae", False),
        ("my/costs/train", False),
        ("training", False),
    ],
)
def test_which_arrays_have_a_value_for_each_step(text, is_per_step):
    assert ArrayName.parse(text).is_per_step is is_per_step


@pytest.mark.parametrize("name", ["costs", "weights/0", "model2", "model7/mine", "tests/0.x"])
def test_names_that_no_own_array_may_have(name):
    assert contract.RESERVED.fullmatch(name)


@pytest.mark.parametrize("name", ["cost", "gradients/weights/0", "models/0", "my/model2"])
def test_names_that_an_own_array_may_have(name):
    assert not contract.RESERVED.fullmatch(name)


def test_conditions_are_complete_and_compared_by_value():
    assert Conditions() == Conditions(seed=1337)
    assert Conditions(seed=7) != Conditions()
    assert Conditions().having(seed=7).seed == 7
    with pytest.raises(TypeError, match="no condition sead"):
        Conditions(sead=7)


def test_the_contract_needs_the_standard_library_alone():
    """With nothing else of the package, and with no package at all."""
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"]
    command[-1] += "import keras_repro.recorder.contract; print(*sorted(sys.modules))"
    source = Path(contract.__file__).parents[2]
    done = subprocess.run([*command, source], capture_output=True, text=True, check=True)
    found = {name for name in done.stdout.split() if name.split(".")[0] not in STANDARD}
    parts = ("conditions", "contract", "hermetic", "hermetic.changes", "plants")
    parts += ("variables",)
    own = {f"keras_repro.recorder.{part}" for part in parts}
    assert found == {"keras_repro", "keras_repro.recorder", *own}


def test_numbers_in_names_sort_as_numbers():
    names = ["weights/10.dense.kernel", "weights/9.dense.bias", "predictions/2", "predictions/10"]
    names += ["model10/costs/train", "model2/costs/train", "costs/train", "weights/9.dense.kernel"]
    assert sorted(names, key=contract.in_order) == [
        "costs/train",
        "model2/costs/train",
        "model10/costs/train",
        "predictions/2",
        "predictions/10",
        "weights/9.dense.bias",
        "weights/9.dense.kernel",
        "weights/10.dense.kernel",
    ]
    assert contract.in_order("1") != contract.in_order("01")


SYSTEM = next(one for one in contract.CONDITIONS if one.name == "system_packages")


@pytest.mark.parametrize(
    "text", ["graphviz", "g++", "libstdc++6", "libgl1=1.6.0-1", "x=1:2.0~rc1+b1", "7zip", "a.b-c"]
)
def test_a_system_package_is_a_name_and_may_be_a_version(text):
    assert SYSTEM.read(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-y", "--reinstall", "-oAPT::Get::AllowUnauthenticated=1", "-o", "+x", ".x"),
        *("libc6-", "libc6-=1", "tasksel^", "lib*", "lib?", "^lib", "[a-z]", "?name(x)", "~nx"),
        *("./evil.deb", "/tmp/evil.deb", "graphviz/sid", "graphviz:arm64", "http://x/y.deb"),
        *("graphviz=", "graphviz= ", "graphviz=-1", "graphviz=*", "graphviz=1 -y", "a=1=2"),
        *("a b", "a\nb", "a\n", "a\0", "a;b", "$(x)", "`x`", "a&&b", "a|b", "Graphviz", "ä", "１"),
        "x" * 200,
    ],
)
def test_nothing_else_that_apt_get_reads_is_a_system_package(text):
    with pytest.raises(ValueError, match="is no Debian package"):
        SYSTEM.read(text)


PROCESSOR = next(one for one in contract.CONDITIONS if one.name == "processor")


@pytest.mark.parametrize(
    "text", ["Haswell", "EPYC", "max", "486", "Skylake-Server-v4", "Opteron_G5"]
)
def test_a_processor_is_a_name(text):
    assert PROCESSOR.read(text) == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "-cpu", "Haswell,+avx512f", "max,avx2=off", "a b", "a\n", "../x", "?", "x" * 65],
)
def test_nothing_else_that_qemu_reads_is_a_processor(text):
    with pytest.raises(ValueError, match="is no processor; write QEMU's name"):
        PROCESSOR.read(text)
