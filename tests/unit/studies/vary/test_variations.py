"""Which variations there are: one table, and none that a machine cannot make is made."""

from keras_repro.recorder.contract import Conditions
from keras_repro.studies.vary.variations import Subject, variations

AVX2 = ("avx", "avx2", "fma", "sse4_2")


def named(backend, flags=AVX2, rounding=2, **conditions):
    subject = Subject(backend, Conditions(**conditions), flags, rounding)
    return {one.name: one for one in variations(subject)}


def test_a_level_that_the_processor_has_not_is_skipped_and_says_so():
    found = named("jax")
    assert found["isa=avx512"].skipped == "the processor has no AVX-512"
    assert found["isa-xla=avx512"].skipped == "the processor has no AVX-512"
    assert not found["isa=avx2"].skipped
    assert named("jax", ())["isa=sse4.2"].skipped == "the processor has no SSE4.2"
    assert not named("jax", None)["isa=avx512"].skipped  # nobody knows yet


def test_a_library_without_a_switch_is_skipped_and_says_so():
    for backend in ("theano", "tensorflow1"):
        assert named(backend)["isa-numpy"].skipped == "NumPy 1.18.5 has no such switch"
    assert named("torch")["onednn"].skipped == "PyTorch has no variable that turns oneDNN off"
    assert named("tensorflow")["onednn=off"].changes["environment"]["TF_ENABLE_ONEDNN_OPTS"] == "0"


def test_all_libraries_together_and_each_alone():
    together = named("torch")["isa=avx2"].changes["environment"]
    assert together["ATEN_CPU_CAPABILITY"] == "avx2"
    assert together["MKL_ENABLE_INSTRUCTIONS"] == "AVX2"
    alone = named("torch")["isa-mkl=avx2"].changes["environment"]
    assert alone == {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def test_what_changes_nothing_is_left_out():
    assert {"threads=2", "threads=4"} <= set(named("jax"))
    assert "threads=1" not in named("jax")
    assert {"threads=1", "threads=4"} <= set(named("jax", threads=2))
    assert "threads=2" not in named("jax", threads=2)
    assert "ulps=1" not in named("jax", ulps=1)


def test_surroundings_are_changed_one_at_a_time_and_the_others_stay():
    found = named("jax", surroundings={"umask": "077", "host": "mine"})
    assert found["clock=+400d"].changes["surroundings"] == {
        **{"umask": "077", "host": "mine"},
        "clock": "+400d",
    }
    assert found["host=other"].changes["surroundings"]["host"] == "other"
    assert "umask=077" not in found  # it has that already


def test_processors_are_emulated_where_that_is_asked_for():
    assert "--emulated" in named("jax")["processor=Haswell"].skipped
    subject = Subject("jax", Conditions(), AVX2, 1, emulated=True)
    [haswell] = [one for one in variations(subject) if one.name == "processor=Haswell"]
    assert not haswell.skipped
    assert haswell.under(subject.conditions).processor == "Haswell"


def test_names_and_runs_are_told_apart():
    for backend in ("theano", "tensorflow1", "jax", "tensorflow", "torch"):
        subject = Subject(backend, Conditions(), None, 3)
        found = variations(subject)
        ran = [one for one in found if not one.skipped]
        assert len({one.name for one in found}) == len(found)
        keys = {one.under(subject.conditions).key() for one in ran}
        assert len(keys) == len(ran)
        assert subject.conditions.key() not in keys


def test_the_users_own_variables_stay():
    found = named("jax", environment={"XLA_FLAGS": "--mine", "MY": "1"})
    given = found["isa-xla=avx2"].changes["environment"]
    assert given == {"XLA_FLAGS": "--mine --xla_cpu_max_isa=AVX2", "MY": "1"}
    assert found["locale=C"].changes["environment"]["MY"] == "1"


def test_what_the_portable_settings_hold_is_skipped_and_all_else_is_not():
    found = named("torch", portable=True)
    assert found["isa-aten=avx2"].skipped == "the portable settings hold it"
    left = found["isa=avx2"].changes["environment"]  # of all libraries, what chooses besides
    assert left == {"MKL_ENABLE_INSTRUCTIONS": "AVX2"}
    assert not found["threads=2"].skipped
    assert named("tensorflow", portable=True)["onednn"].skipped == "the portable settings hold it"
