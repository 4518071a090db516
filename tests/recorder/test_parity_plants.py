"""keras-repro parity: a bug in a backend is found in its layer, and none where there is none."""

import json
import shutil

import pytest

from keras_repro.recorder import contract
from tests.conftest import ROOT
from tests.recorder.compared import compare

pytestmark = pytest.mark.shares

NET = ROOT / "tests" / "scripts" / "plants" / "net.py"
PLANTS = {
    "padding": "0.zero_padding2d",
    "one more row": "0.zero_padding2d",  # no layer after it fits
    "convolution": "1.conv2d",
    "epsilon": "2.batch_normalization",
    "slope": "3.leaky_re_lu",
    "pooling": "4.max_pooling2d",
    "flatten": "5.flatten",
    "scale": "6.scale",
    "transposed kernel": "7.square",
    "activation": "7.square",
    "bias": "9.dense",
    "softmax": "10.activation",
}
OF_KERAS_2 = ("epsilon", "transposed kernel", "convolution")
NONE = "net_none_none"


@pytest.fixture(scope="module")
def compare_nets(tmp_path_factory, server, engine):
    """Compare backends on nets, each with a plant: starting a backend takes longer than a net."""

    def run(plants, *backends):
        script = shutil.copy(NET, tmp_path_factory.mktemp("nets") / "net.py")
        option = f"--env=PLANTS={','.join(f'{plant}@{where}' for plant, where in plants)}"
        return compare(server, engine, script, *backends, options=(option,))

    return run


@pytest.fixture(scope="module")
def keras_3(compare_nets):
    plants = [("none", "none"), *((plant, "torch3") for plant in PLANTS), ("slope", "jax3")]
    return compare_nets(plants, "jax", "torch")


@pytest.fixture(scope="module")
def keras_2(compare_nets):
    plants = [("none", "none"), *((plant, "tensorflow2") for plant in OF_KERAS_2)]
    return compare_nets(plants, "theano", "tensorflow1", "jax")


def check_located(said, found, place):
    assert said.returncode == 1, said.stdout + said.stderr
    answer = said.stdout.strip().splitlines()[-1]
    kind = place.partition(".")[0]
    parting = [where for where, layer in found.items() if layer.parting]
    assert [where.partition(".")[0] for where in parting] == [kind], said.stdout
    assert f" parts from {said.args[said.args.index('--reference') + 1]} in {kind}." in answer


def check_nothing_parts(said, found):
    assert said.returncode == 0, said.stdout + said.stderr
    assert [layer.verdict for layer in found.values()] == ["agrees"] * 11
    assert "11 layers agree" in said.stdout
    assert "switched off on both: Dropout rate of 0.5 in dropout" in said.stdout


@pytest.mark.parametrize("plant", PLANTS)
def test_a_bug_is_located_at_its_layer(plant, keras_3):
    net = f"net_{plant.replace(' ', '_')}_torch3"
    assert len(keras_3.layers(net)) == 11
    check_located(keras_3.again((net,)), keras_3.layers(net), PLANTS[plant])


def test_a_bug_in_the_reference_is_located_too(keras_3):
    net = "net_slope_jax3"
    check_located(keras_3.again((net,)), keras_3.layers(net), PLANTS["slope"])


def test_tolerances_take_the_place_of_the_reasoning(keras_3):
    said = keras_3.again((NONE,), "--rtol", "1e-12")
    assert said.returncode == 1
    assert "outside rtol 1e-12" in said.stdout
    # The gradient of a bias before a normalisation is nothing but rounding, so of no other's size.
    said = keras_3.again(("net_slope_torch3",), "--rtol", "10", "--atol", "1e-5")
    assert said.returncode == 0, said.stdout


def test_the_page_and_the_minimal_script(keras_3):
    said = keras_3.again(("net_epsilon_torch3",), "-o", "parity.html")
    folder = keras_3.script.parent
    page = (folder / "parity.html").read_text()
    assert "torch parts from jax in 2.batch_normalization" in page
    assert "its configuration differs: epsilon 0.001 -&gt; 0.01" in page
    [script] = (folder / "parity-layers").glob("*.py")
    assert script.with_suffix(".npz").exists()
    assert f"wrote parity-layers/{script.name}" in said.stdout
    compile(script.read_text(), script.name, "exec")


def test_the_facts_are_plain_json(keras_3):
    facts = keras_3.folder / "torch" / contract.PARITY_FACTS
    assert json.loads(facts.read_text())["backend"] == "torch"


def test_nothing_parts_where_nothing_is_wrong_among_wrong_nets(keras_2, keras_3):
    for compared in (keras_2, keras_3):
        assert compared.done.returncode == 1, compared.done.stdout + compared.done.stderr
        check_nothing_parts(compared.again((NONE,)), compared.layers(NONE))


@pytest.mark.parametrize("plant", OF_KERAS_2)
def test_a_bug_is_located_across_the_frameworks_of_keras_2(plant, keras_2):
    net = f"net_{plant.replace(' ', '_')}_tensorflow2"
    check_located(keras_2.again((net,)), keras_2.layers(net), PLANTS[plant])


def test_the_two_generations(keras_2):
    found = keras_2.layers(NONE, "jax")
    agreeing = {place.partition(".")[0] for place, layer in found.items() if not layer.parting}
    assert {"0", "1", "2", "3", "5", "7", "9", "10"} <= agreeing, keras_2.done.stdout


def test_nothing_parts_where_nothing_is_wrong(compare_nets):
    compared = compare_nets([("none", "none")], "tensorflow", "jax", "torch")
    assert compared.done.returncode == 0, compared.done.stdout + compared.done.stderr
    assert compared.done.stdout.count("11 layers agree") == 2
    for against in compared.against:
        check_nothing_parts(
            compared.again((NONE,), against=against), compared.layers(NONE, against)
        )
