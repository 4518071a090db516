"""The cases of accept, with what check and history say afterwards."""

from pathlib import Path

import numpy as np

from tests.old_version import fixed
from tests.old_version.fixed import ARRAYS, changed
from tests.old_version.steps import (
    ACCEPT,
    BASELINE,
    ODD,
    RUN,
    Case,
    answering,
    arrays_at,
    bare_baseline,
    case,
    cut,
    every_verdict,
    failed_of,
    file,
    nan_in,
    one,
    project,
    rich,
    run_of,
)


def acceptances() -> list[Case]:
    """Return the cases of accept, with what check and history say afterwards."""
    after = ("check --backend jax", "history --backend jax")
    some = {**changed("weights/0.dense.kernel", 2), "predictions/1": np.ones(2, np.float32)}
    some["costs/test"] = some["costs/test"] * np.float32(1 + 1e-6)
    two = changed("weights/0.dense.kernel", 2)
    two["costs/test"] *= 2
    only = f"{ACCEPT} --yes --only"
    cases = [
        case("first", run_of("jax"), f"{ACCEPT} --yes", *after),
        case("same", one(), f"{ACCEPT} --yes", *after),
        case("change", one(ODD, seed=7), f"{ACCEPT} --yes", *after),
        case("rich", rich("gradients/norm"), f"{ACCEPT} --yes", *after),
        case("asked-yes", one(ODD), answering(ACCEPT, "y\n"), *after),
        case("asked-no", one(ODD), answering(ACCEPT, "n\n"), *after),
        case("asked-end", one(ODD), ACCEPT, *after),
        case("ci", run_of("jax"), f"CI=true {ACCEPT} --yes", f"CI=0 {ACCEPT} --yes"),
        case("no-reason", run_of("jax"), "accept --yes", "accept --backend jax --yes --reason ' '"),
        case("some", one(some), f"{only} 'weights/*' --only predictions/1", *after),
        case("some-costs", one(some), f"{only} 'costs/*' --only 'w*' --only 'p*'", *after),
        case("some-others-drift", one(two), f"{only} 'weights/*'", *after),
        case("some-nothing", one(two), f"{only} nothing"),
        case("some-first", run_of("jax"), f"{only} 'weights/*'"),
        case(
            "some-of-edited",
            *(one(two), arrays_at(f"{BASELINE}/arrays.npz", ODD)),
            f"{only} 'weights/*'",
        ),
        case("over-edited", one(), arrays_at(f"{BASELINE}/arrays.npz", ODD), f"{ACCEPT} --yes"),
        case("over-cut-arrays", one(), cut(f"{BASELINE}/arrays.npz"), f"{ACCEPT} --yes", *after),
        case("over-cut-facts", one(), cut(f"{BASELINE}/baseline.json"), f"{ACCEPT} --yes"),
        case("nan", nan_in("costs/train", ARRAYS), f"{ACCEPT} --yes", *after),
        case("own-nan", nan_in("my/costs/first"), f"{ACCEPT} --yes"),
        case("second-model-nan", nan_in("model2/costs/train"), f"{ACCEPT} --yes"),
        case("failed", one(), failed_of("jax"), f"{ACCEPT} --yes"),
        case("edited-run", one(), arrays_at(f"{RUN}/arrays.npz", ODD), f"{ACCEPT} --yes"),
        case("no-run", "accept --reason x --yes", "accept --reason x --yes --backend caffe"),
        case("one-of-five", run_of("jax"), "accept --reason 'all of them' --yes"),
        case("all", every_verdict, _without_failed, "accept --reason all --yes", "history"),
        case("project", project, "accept --reason 'both of them' --yes", "history", "check"),
        case("project-one", project, "accept small --reason x --yes", "check", "history small"),
        case(
            "script-changed",
            *(file("my.py", "one\n"), _run_of_my, "accept my.py --backend jax --reason x --yes"),
            *(file("my.py", "two\n"), "accept my.py --backend jax --reason y --yes"),
        ),
        case(
            "tolerances",
            *(one(ODD, base={"tolerances": {"weights/*": {"rtol": 0.5, "atol": 0.0}}}),),
            *(f"{ACCEPT} --yes", "check --backend jax --format json"),
        ),
        case(
            "again",
            *(one(ODD), f"{ACCEPT} --yes", run_of("jax"), f"{ACCEPT} --yes", *after),
        ),
        case("cannot-write", one(ODD), _read_only, f"{ACCEPT} --yes --baselines /proc/nowhere"),
        case("old-baseline", one(ODD), bare_baseline, f"{ACCEPT} --yes", *after),
    ]
    return [Case(f"accept-{c.name}", c.steps) for c in cases]


def _without_failed(folder: Path) -> None:
    for path in (folder / "artifacts/regression/torch.failed").iterdir():
        path.unlink()
    (folder / "artifacts/regression/torch.failed").rmdir()


def _read_only(folder: Path) -> None:
    (folder / "x").touch()


def _run_of_my(folder: Path) -> None:
    digest = fixed.sha256(folder / "my.py")
    run_of("jax", workload="my", script="my.py", script_sha256=digest)(folder)
