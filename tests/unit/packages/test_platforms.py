"""The wheels of a platform."""

import pytest
from packaging.tags import Tag

from keras_repro.packages import platforms
from keras_repro.packages.platforms import wheel_tags


def test_a_platform_has_its_own_wheels_and_those_of_every_platform():
    tags = wheel_tags("3.11", "linux/arm64")
    assert Tag("cp311", "cp311", "manylinux_2_28_aarch64") in tags
    assert Tag("cp311", "cp311", "manylinux2014_aarch64") in tags
    assert Tag("py3", "none", "any") in tags
    assert not any("x86_64" in tag.platform for tag in tags)
    assert Tag("cp311", "cp311", "manylinux1_x86_64") in wheel_tags("3.11", "linux/amd64")


def test_the_oldest_python_has_its_own_abi():
    assert Tag("cp37", "cp37m", "manylinux1_x86_64") in wheel_tags("3.7", "linux/amd64")
    assert Tag("cp37", "cp37", "manylinux1_x86_64") not in wheel_tags("3.7", "linux/amd64")


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux/amd64", "x86_64-manylinux_2_28"),
        ("linux/arm64", "aarch64-manylinux_2_28"),
    ],
)
def test_uv_has_a_name_for_each(platform, name):
    assert platforms.uv_name(platform) == name
