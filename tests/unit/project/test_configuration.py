"""The configuration: what it says is trained, and what it gets wrong is said with its line."""

import os
import resource
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_repro.errors import CannotWriteError, UsageError
from keras_repro.project import configuration, scaffold
from keras_repro.project.selection import workloads

WHOLE = """\
artifacts = "runs"

[workloads.first]
script = "train.py"
args = ["--epochs", "3"]
seed = 7
threads = 2
backends = ["jax", "torch"]
requirements = ["scikit-learn==1.7.2"]
system_packages = ["graphviz", "g++", "graphviz"]
data = ["data"]
datasets = "data"
time_limit = "10 min"
memory_limit = "2 GB"
files_limit = 1000

[workloads.first.environment]
MODE = "fast"

[workloads.first.tolerances]
"weights/*" = { rtol = 1e-4 }

[workloads.second]
module = "package.train"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "train.py").write_text("import keras\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "train.py").write_text("from keras import layers\n")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = configuration.NAME) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_every_setting_arrives(folder):
    known = configuration.load(write(folder, WHOLE))
    first, second = known.workloads.values()
    assert known.artifacts == Path("runs")
    assert known.baselines == Path("baselines")
    assert (first.name, first.folder, first.script) == ("first", folder, Path("train.py"))
    assert first.args == ("--epochs", "3")
    assert (first.conditions.seed, first.conditions.threads) == (7, 2)
    assert first.backends == ("jax", "torch")
    assert first.requirements == ("scikit-learn==1.7.2",)
    assert first.conditions.system_packages == ("g++", "graphviz")
    assert [(data.place, data.source) for data in first.conditions.data] == [
        ("data", folder / "data")
    ]
    assert first.conditions.datasets == folder / "data"
    assert (
        first.conditions.time_limit,
        first.conditions.memory_limit,
        first.conditions.files_limit,
    ) == (600, 2 << 30, 1000)
    assert first.conditions.environment == {"MODE": "fast"}
    assert first.tolerances["weights/*"].rtol == 1e-4
    assert (second.module, second.script) == ("package.train", Path("package/train.py"))
    assert second.conditions.seed == 1337


def test_pyproject_has_it_too_and_the_file_of_its_own_wins(folder):
    text = WHOLE.replace("[workloads", "[tool.keras-repro.workloads").partition("\n\n")[2]
    write(folder, "[project]\nname = 'x'\n" + text, configuration.PYPROJECT)
    assert list(configuration.load().workloads) == ["first", "second"]
    write(folder, '[workloads.own]\nscript = "train.py"\n')
    assert list(configuration.load().workloads) == ["own"]


def test_a_pyproject_of_others_is_none(folder):
    write(folder, "[tool.ruff]\n", configuration.PYPROJECT)
    known = configuration.load()
    assert known.path is None
    assert [workload.name for workload in workloads(known, None, None)] == ["regression"]
    write(folder, "not toml", configuration.PYPROJECT)
    assert configuration.load().path is None


def test_it_holds_in_the_folders_below(folder, monkeypatch):
    write(folder, WHOLE)
    monkeypatch.chdir(folder / "data")
    known = configuration.load()
    assert known.folder == folder
    assert known.artifacts == folder / "runs"
    assert known.workloads["first"].script_path == folder / "train.py"


def test_one_by_its_name_or_all(folder):
    known = configuration.load(write(folder, WHOLE))
    assert [w.name for w in workloads(known, None, None)] == ["first", "second"]
    assert [w.name for w in workloads(known, "second", None)] == ["second"]
    assert [w.name for w in workloads(known, "train.py", None)] == ["train"]
    assert [w.name for w in workloads(known, "sine", None)] == ["sine"]  # comes with keras-repro
    with pytest.raises(UsageError, match=r"nothing: no such file.*first, second.*sine"):
        workloads(known, "nothing", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sed = 3", "workloads.w.sed: there is no such key; is it seed?"),
        ("zzz = 3", "workloads.w.zzz: there is no such key; there are script, module"),
        ('seed = "x"', "workloads.w.seed: input should be a valid integer"),
        ("seed = -1", "workloads.w.seed: '-1' is not a whole number"),
        ("seed = 4294967296", "workloads.w.seed: '4294967296' is not a whole"),
        ("seed = 1.5", "workloads.w.seed: input should be a valid integer"),
        ("threads = 0", "workloads.w.threads: "),
        ('backends = ["caffe"]', "workloads.w.backends: no backend 'caffe'; there are"),
        ('args = "--x"', "workloads.w.args: input should be a valid list"),
        ('data = ["nowhere"]', "workloads.w.data: no data in nowhere"),
        ('data = ["."]', "workloads.w.data: . contains the script's own folder"),
        ('data = ["/usr/lib"]', "workloads.w.data: /usr/lib would hide the container's own /usr"),
        ('datasets = "nowhere"', "workloads.w.datasets: no datasets in nowhere"),
        ('time_limit = "soon"', "workloads.w.time_limit: 'soon' is no time"),
        ("time_limit = 0", "workloads.w.time_limit: '0' is no time"),
        ('memory_limit = "much"', "workloads.w.memory_limit: 'much' is no size"),
        ("memory_limit = true", "workloads.w.memory_limit: "),
        ('requirements = ["a b"]', "workloads.w.requirements: 'a b' is no requirement"),
        ('requirements = "no.txt"', "workloads.w.requirements: cannot read"),
        ("requirements = 3", "workloads.w.requirements: "),
        ('system_packages = "git"', "workloads.w.system_packages: input should be a valid list"),
        ('system_packages = ["git", "-y"]', "workloads.w.system_packages: '-y' is no Debian"),
        ('system_packages = ["libc6-"]', "workloads.w.system_packages: 'libc6-' is no Debian"),
        ("environment = { SEED = 1 }", "workloads.w.environment.SEED: input should be a valid str"),
        (
            'environment = { HOME = "x" }',
            "workloads.w.environment.HOME: HOME is set by keras-repro",
        ),
        ('tolerances = { "*" = { rtol = -1 } }', "workloads.w.tolerances.*.rtol: "),
        ('margins = { "*" = 0.0 }', "workloads.w.margins.*: "),
        ('margins = { "*" = 1e300 }', "workloads.w.margins.*: "),
        ("primary = 3", "workloads.w.primary: "),
        (
            'tolerances = { "*" = { rtl = 1 } }',
            "workloads.w.tolerances.*.rtl: there is no such key",
        ),
        ('module = "package.train"', "workloads.w: name either a script or a module"),
        ("oops = ", "invalid value"),
        ('data = ["~nosuchuser/x"]', "workloads.w.data: ~nosuchuser/x: there is no such user"),
        ('datasets = "~nosuchuser/x"', "workloads.w.datasets: ~nosuchuser/x: there is no such"),
        (f'memory_limit = "{"9" * 400}"', "workloads.w.memory_limit: "),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(folder, line, message):
    path = write(folder, f'# the first line\n\n[workloads.w]\nscript = "train.py"\n{line}\n')
    with pytest.raises(UsageError) as caught:
        configuration.load(path)
    said = str(caught.value)
    where = 3 if "either" in message else 5
    assert said.startswith(f"keras-repro.toml:{where}: {message}"), said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[workloads.w]\nscript = "no.py"\n',
            "keras-repro.toml:2: workloads.w.script: cannot read",
        ),
        (
            '[workloads.w]\nmodule = "no.such"\n',
            "keras-repro.toml:2: workloads.w.module: no module",
        ),
        ('[workloads.w]\nmodule = "../x"\n', "keras-repro.toml:2: workloads.w.module: -m '../x'"),
        ("\n[workloads.w]\n", "keras-repro.toml:2: workloads.w: name either a script"),
        ('[workloads."a/b"]\nscript = "train.py"\n', "keras-repro.toml:1: workloads.a/b: a name"),
        ('[workloads.".."]\nscript = "train.py"\n', "keras-repro.toml:1: workloads...: a name"),
        (
            "\nworkload = 1\n",
            "keras-repro.toml:2: workload: there is no such key; is it workloads?",
        ),
        ("workloads = 3\n", "keras-repro.toml:1: workloads: input should be a valid dict"),
    ],
)
def test_what_is_wrong_elsewhere(folder, text, message):
    with pytest.raises(UsageError) as caught:
        configuration.load(write(folder, text))
    assert str(caught.value).startswith(message), caught.value


def test_scripts_elsewhere_run_where_they_are(folder):
    elsewhere = folder.parent / f"{folder.name}-elsewhere"
    elsewhere.mkdir()
    (elsewhere / "out.py").write_text("")
    (folder / "link.py").symlink_to(elsewhere / "out.py")
    text = (
        f'[workloads.a]\nscript = "../{elsewhere.name}/out.py"\n[workloads.b]\nscript = "link.py"\n'
    )
    for workload in configuration.load(write(folder, text)).workloads.values():
        assert (workload.folder, workload.script) == (elsewhere, Path("out.py"))


@pytest.mark.parametrize("text", ["a = " + "[" * 3000 + "]" * 3000, 'artifacts = "\\u0000"'])
def test_what_breaks_readers_is_one_line(folder, text):
    with pytest.raises(UsageError, match=r"nested too deep|null character"):
        configuration.load(write(folder, text))
    write(folder, text, configuration.PYPROJECT)
    configuration.find(folder)


def test_init_with_odd_names(folder):
    for name in ("\N{GRINNING FACE}.py", "a b.py", "a-b.py"):
        (folder / name).write_text("import keras\n")
    scaffold.write(Path(configuration.NAME))
    assert len(configuration.load().workloads) == 3
    (folder / configuration.NAME).unlink()
    (folder / configuration.NAME).symlink_to(folder / "nowhere")
    with pytest.raises(UsageError, match="already exists"):
        scaffold.write(Path(configuration.NAME))


def test_a_file_that_cannot_be_read(folder):
    with pytest.raises(UsageError, match=r"cannot read the configuration .*no such"):
        configuration.load(folder / "none.toml")
    (folder / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="no UTF-8"):
        configuration.load(folder / "bytes.toml")


@given(
    st.lists(
        st.sampled_from(["# words", "", "x = [\n  1,\n  2,\n]", 's = """\n[a]\n"""', "n = 1"])
    ),
    st.lists(st.sampled_from(["", "# more", "y = 2"])),
)
def test_the_line_is_where_the_key_stands(before, after):
    lines = [line for text in dict.fromkeys(before) for line in text.split("\n")]
    text = "\n".join([*lines, "[deep.table]", "key = 1", *after[:1]])
    tomllib.loads(text)
    assert configuration.line_of(text, ("deep", "table", "key")) == len(lines) + 2
    assert configuration.line_of(text, ("deep", "table", "absent")) == len(lines) + 1


def test_what_init_writes_can_be_read_and_names_the_scripts(folder):
    (folder / "other.py").write_text("import os\n")
    (folder / "net.py").write_text("import keras.layers as layers\n")
    scaffold.write(Path(configuration.NAME))
    text = (folder / configuration.NAME).read_text()
    known = configuration.load()
    assert {name: str(w.script) for name, w in known.workloads.items()} == {
        "net": "net.py",
        "train": "train.py",
    }
    # Every setting there is, is explained.
    for key in (*configuration.WorkloadTable.model_fields, *configuration.Document.model_fields):
        assert key in text
    uncommented = "\n".join(
        line.removeprefix("# ") for line in text.splitlines() if "=" in line or "[" in line
    )
    assert "tolerances" in uncommented
    with pytest.raises(UsageError, match="already exists"):
        scaffold.write(Path(configuration.NAME))
    scaffold.write(Path(configuration.NAME), force=True)


def test_every_line_that_init_comments_out_means_something(folder):
    scaffold.write(Path(configuration.NAME))
    lines = (folder / configuration.NAME).read_text().splitlines()
    table = next(index for index, line in enumerate(lines) if line.startswith("[workloads"))
    (folder / "requirements.txt").write_text("")
    heading = ""
    for line in lines[table + 2 :]:
        setting = line.removeprefix("# ")
        if setting == line or setting.startswith(("module", "datasets")):
            continue
        if setting.startswith("["):
            heading = setting
        else:
            text = "\n".join([*lines[: table + 2], heading, setting])
            assert configuration.load(write(folder, text)).workloads


def test_a_wrong_line_in_a_long_configuration_is_said_as_fast_as_the_rest_is_read(folder):
    """Finding the line once took 160 times as long as reading the file."""
    table = '[workloads.w{}]\nscript = "train.py"\nargs = [\n  "a",\n]\nseed = 1\n'
    right = "".join(map(table.format, range(90)))
    path = write(folder, right)
    reading = least_seconds(lambda: configuration.load(path))
    path = write(folder, right + "sede = 1\n")

    def wrong():
        with pytest.raises(UsageError, match=r"541: workloads\.w89\.sede"):
            configuration.load(path)

    assert least_seconds(wrong) < 20 * reading


def least_seconds(call):
    times = []
    for _ in range(3):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return min(times)


def test_a_full_disk_leaves_the_old_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(configuration.NAME).write_text("# mine\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(CannotWriteError, match=configuration.NAME):
            scaffold.write(Path(configuration.NAME), force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert Path(configuration.NAME).read_text() == "# mine\n"
    assert [path.name for path in tmp_path.iterdir()] == [configuration.NAME]


def test_init_that_fails_leaves_what_stood(folder, monkeypatch):
    path = folder / configuration.NAME
    path.write_text("# by hand\n")
    before = sorted(os.listdir(folder))

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWriteError, match="No space left"):
        scaffold.write(Path(configuration.NAME), force=True)
    assert path.read_text() == "# by hand\n"
    assert sorted(os.listdir(folder)) == before


def test_init_passes_over_what_is_no_script_and_names_one_that_cannot_be_read(folder, monkeypatch):
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    (folder / "link.py").symlink_to("nowhere")
    scaffold.write(Path(configuration.NAME))
    (folder / "my.py").write_text("import keras\n")

    def fails(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(UsageError, match=r"cannot read my\.py: input/output error"):
        scaffold.write(Path(configuration.NAME), force=True)
