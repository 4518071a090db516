"""The cases of check, compare, history and report."""

from pathlib import Path

import numpy as np

from tests.old_version import fixed
from tests.old_version.fixed import ARRAYS, RICH, changed
from tests.old_version.steps import (
    BASELINE,
    HISTORY,
    NEAR,
    ODD,
    RUN,
    Case,
    arrays_at,
    bare_baseline,
    baseline_of,
    case,
    cut,
    edited,
    every_verdict,
    failed_of,
    file,
    flip,
    in_every_form,
    nan_in,
    one,
    pair,
    project,
    removed,
    rich,
    run_of,
    together,
)


def checks() -> list[Case]:
    """Return the cases of check."""
    jax = "check --backend jax"
    told = [
        ("every-verdict", every_verdict, "check"),
        ("every-verdict-only-costs", every_verdict, "check --only 'costs/*'"),
        ("two-backends", every_verdict, "check --backend tensorflow --backend jax"),
        ("identical", one(), jax),
        ("identical-other-facts", one(seed=7, threads=2, python="3.12.1"), jax),
        ("close-same-place", one(NEAR), jax),
        ("close-elsewhere", one(NEAR, requirements_sha256="2" * 64), jax),
        ("close-exact", one(NEAR), f"{jax} --exact"),
        ("drift", one(ODD), jax),
        ("nan-in-costs", nan_in("costs/train", ARRAYS), jax),
        ("rich-identical", one(RICH, RICH), jax),
        ("rich-all-drift", one(_all_changed(), RICH), jax),
        ("own-array-drifts", rich("gradients/norm"), jax),
        ("own-array-nan", nan_in("my/costs/first"), jax),
        ("metric-drifts", rich("metrics/train.accuracy", 2.0), jax),
        ("history-drifts", rich("history/loss"), jax),
        ("second-model-drifts", rich("model2/costs/train"), jax),
        ("failed", together(one(), failed_of("jax")), jax),
        ("failed-first", together(baseline_of("jax"), run_of("jax", outcome="failed")), jax),
        ("nothing", file("x"), "check"),
        ("no-run", baseline_of("jax"), jax),
        ("no-baseline", run_of("jax"), jax),
        ("edited-baseline", together(one(), arrays_at(f"{BASELINE}/arrays.npz", ODD)), jax),
        ("edited-run", together(one(), arrays_at(f"{RUN}/arrays.npz", ODD)), jax),
        ("newer-run", one(schema_version=2), jax),
        ("newer-baseline", one(base={"schema_version": 99}), jax),
        ("project", project, "check"),
        ("project-one", project, "check small"),
        ("mixed-baseline", one(NEAR, base={"history": HISTORY}), jax),
    ]
    cases = [made for name, change, line in told for made in in_every_form(name, change, line)]
    for number, (option, arrays) in enumerate(
        [
            ("--exact", ARRAYS),
            ("--exact --rtol 0.1", ODD),
            ("--rtol 0.01", ODD),
            ("--atol 0.01", ODD),
            ("--rtol 0 --atol 0", NEAR),
            ("--only 'costs/*' --only predictions/0", ODD),
            ("--only nothing", ODD),
            ("--rtol -1", ODD),
            ("--rtol x", ODD),
            ("--atol nan", ODD),
            ("--format yaml", ODD),
            ("--backend caffe", ODD),
            ("--artifacts elsewhere", ODD),
            ("--baselines elsewhere", ODD),
            ("--sede 1", ODD),
        ]
    ):
        cases.append(case(f"option-{number:02}", one(arrays), f"{jax} {option}"))
    causes = {
        "variable": {"environment": {"PYTHONHASHSEED": "1337", "TF_ENABLE_ONEDNN_OPTS": "0"}},
        "script": {"script_sha256": "9" * 64, "script_args": ["--fast"]},
        "module": {"modules": {"helper.py": "8" * 64}},
        "packages": {"packages": {"keras": "3.1", "numpy": "2.0.0", "jax": "1.0", "zipp": "3"}},
        "keras": {"keras": {"version": "3.1", "backend": "jax", "floatx": "float64"}},
        "lock": {"requirements_sha256": "3" * 64, "extra_requirements_sha256": "4" * 64},
        "processor": {"cpu": {"model": "another", "instruction_sets": ["avx"], "cores": 8}},
        "place": {"engine": "docker", "os": "Ubuntu", "libc": "musl", "machine": "arm64"},
        "image": {"image": "sha256:" + "a" * 64, "recorder_sha256": "b" * 64},
        "seed": {"seed": 7, "threads": 4, "python": "3.12.1"},
        "determinism": {"determinism": {"jax.enable_x64": True}},
    }
    for name, facts in causes.items():
        base = {"image": "sha256:" + "c" * 64} if name == "image" else {}
        near, odd = (one(arrays, base=base, **facts) for arrays in (NEAR, ODD))
        cases.append(case(f"cause-{name}-near", near, f"{jax} --format json"))
        cases.append(case(f"cause-{name}-odd", odd, jax))
    damage = {
        "cut-arrays": cut(f"{RUN}/arrays.npz"),
        "cut-facts": cut(f"{RUN}/run.json"),
        "no-arrays": removed(f"{RUN}/arrays.npz"),
        "no-facts": removed(f"{RUN}/run.json"),
        "flipped": together(one(ODD), flip(f"{RUN}/arrays.npz", np.float32(0.5005).tobytes())),
        "odd-facts": edited(f"{RUN}/run.json", seed="many"),
        "missing-fact": edited(f"{RUN}/run.json", started=None),
        "cut-baseline": cut(f"{BASELINE}/baseline.json"),
        "cut-baseline-arrays": cut(f"{BASELINE}/arrays.npz"),
        "no-baseline-arrays": removed(f"{BASELINE}/arrays.npz"),
        "odd-baseline": edited(f"{BASELINE}/baseline.json", tolerances=3),
        "no-arrays-at-all": one({}, {}),
    }
    for name, change in damage.items():
        cases.append(case(f"damaged-{name}", one(), change, jax, f"{jax} --format json"))
    cases += [
        case("hostile-text", one(ODD, seed=3, os="\x1b[31mred\x1b[0m", python="3 `x` <b>"), jax),
        case("failed-hostile", one(), failed_of("jax", reason="no \x1b[31mluck\nat all"), jax),
        case("script-missing", "check nothing.py", "check scripts", "check ."),
        case("script", file("my.py", "import keras\n"), one(workload="my"), "check my.py"),
        case("module", file("pack/age.py"), one(workload="pack.age"), f"{jax} -m pack.age"),
        case("module-missing", "check -m no.such", "check -m no-name"),
        case("builtin", one(workload="classifier"), "check classifier --backend jax"),
        case("stored-tolerance", one(ODD, base={"tolerances": {"weights/*": {"rtol": 0.01}}}), jax),
        case("config-elsewhere", project, file("x/y"), "--config keras-repro.toml check large"),
        case("config-missing", "--config nothing.toml check"),
        case("narrow", every_verdict, f"COLUMNS=80 {jax}", "COLUMNS=80 check"),
        case("project-only", project, "check --only 'weights/*'", "check --only nothing"),
        case("project-unknown", project, "check medium", "check --backend theano"),
        case("old-baseline", one(), edited(f"{BASELINE}/baseline.json", history=None), jax),
        case("bare-baseline", one(), bare_baseline, jax, f"{jax} --format json"),
    ]
    return [Case(f"check-{c.name}", c.steps) for c in cases]


def _all_changed():
    """Return the rich arrays, each of which differs from what it was."""
    odd = {}
    for name, array in RICH.items():
        other = array.copy()
        if array.dtype.kind == "b":
            other = ~array
        elif array.dtype.kind in "UV":
            other = array[::-1].copy()
        elif array.size:
            other = (array * array.dtype.type(2)).astype(array.dtype)
        odd[name] = other
    return odd


def comparisons() -> list[Case]:
    """Return the cases of compare."""
    seven = {"seed": 7}
    told = [
        ("seeds", pair(ODD, **seven), "compare a b"),
        ("same", pair(), "compare a b"),
        ("same-bits-other-facts", pair(packages={"numpy": "1.2"}), "compare a b"),
        ("every-kind", together(every_verdict, _two), "compare theano tensorflow"),
        ("rich", together(every_verdict, _two), "compare theano torch"),
        ("baseline", together(pair(ODD), baseline_of("jax")), f"compare {BASELINE} b"),
        ("nan", pair(_nan_costs()), "compare a b"),
    ]
    cases = [made for name, change, line in told for made in in_every_form(name, change, line)]
    for number, rest in enumerate(
        (
            "--rtol 0.01",
            "--atol 0.01",
            "--only 'costs/*'",
            "--only 'costs/*' --only '*kernel'",
            "--only biases",
            "--rtol -1",
            "--rtol inf",
            "--atol x",
            "--format xml",
        )
    ):
        cases.append(case(f"option-{number}", pair(ODD), f"compare a b {rest}"))
    cases += [
        case("missing", pair(), "compare a nothing", "compare a", "compare nothing b"),
        case("failed", pair(outcome="failed", reason="no \x1b[31mluck\nat all"), "compare a b"),
        case("damaged", pair(), file("b/run.json", "{}"), "compare a b"),
        case("checksum", pair(ODD), flip("b/arrays.npz", np.float32(0.5005).tobytes()), _AB),
        case("newer", pair(schema_version=2), "compare a b"),
        case("edited", pair(), arrays_at("b/arrays.npz", ODD), "compare a b"),
        case(
            "edited-baseline",
            *(pair(), baseline_of("jax"), arrays_at(f"{BASELINE}/arrays.npz", ODD)),
            f"compare {BASELINE} b",
        ),
        case("markup", _markup, "compare a b", "compare a b --format markdown"),
        case("baseline-second", pair(ODD), baseline_of("jax"), f"compare b {BASELINE}"),
    ]
    return [Case(f"compare-{c.name}", c.steps) for c in cases]


_AB = "compare a b"


def _nan_costs():
    arrays = changed("costs/train", 1)
    arrays["costs/train"][2] = np.inf
    return arrays


def _two(folder: Path) -> None:
    for name in ("tensorflow", "theano", "torch"):
        (folder / "artifacts" / "regression" / name).rename(folder / name)


def _markup(folder: Path) -> None:
    for name in ("a", "b"):
        fixed.run(folder / name, {"weights/[bold]:smile:[/x]": np.zeros(1)}, seed=len(name))


def histories() -> list[Case]:
    """Return the cases of history and of report."""
    drawn = "history --backend jax --plot"
    drawn_page = "report --backend jax -o"
    long = baseline_of("jax", history=HISTORY)
    return [
        case("history-one", baseline_of("jax"), "history --backend jax"),
        case("history-long", long, "history --backend jax", "COLUMNS=80 history --backend jax"),
        case("history-plot", long, *(f"{drawn} costs.{e}" for e in ("svg", "png", "pdf", "doc"))),
        case("history-plot-nowhere", long, f"{drawn} /proc/x/costs.png", f"{drawn} /proc/x.svg"),
        case("history-nothing", "history", "history nothing.py", "history --backend caffe"),
        case("history-all", every_verdict, "history"),
        case("history-project", project, "history", "history large", "history --plot x.svg"),
        case("history-damaged", baseline_of("jax"), cut(f"{BASELINE}/baseline.json"), "history"),
        case("history-old", baseline_of("jax"), bare_baseline, "history --backend jax"),
        case("report-all", every_verdict, "report"),
        case("report-output", rich("gradients/norm"), f"{drawn_page} page.html"),
        case("report-project", project, "report --output two.html"),
        case("report-nothing", "report", "report nothing.py", "report --backend caffe"),
        case("report-nowhere", one(), f"{drawn_page} /proc/x/report.html", "report -o ."),
        case("report-damaged", one(), cut(f"{RUN}/arrays.npz"), "report --backend jax"),
    ]
