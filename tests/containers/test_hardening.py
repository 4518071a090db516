"""A container has no network, no capabilities to use, a read-only root, and is not root."""

import json
import os
import subprocess

import pytest

from tests.conftest import BACKENDS, ROOT

pytestmark = pytest.mark.docker

PROBE = """
import json, os, socket
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
def writable(path):
    try:
        open(os.path.join(path, "probe"), "w").close()
        return True
    except OSError as error:
        return type(error).__name__ + str(error.errno)
def connects():
    try:
        socket.create_connection(("192.0.2.1", 9), 1)
        return True
    except OSError:
        return False
print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
    "effective": status["CapEff"].strip(), "permitted": status["CapPrm"].strip(),
    "ambient": status["CapAmb"].strip(), "no_new_privileges": status["NoNewPrivs"].strip(),
    "bounding": int(status["CapBnd"], 16),
    "interfaces": sorted(os.listdir("/sys/class/net")), "connects": connects(),
    "writable": {
        path: writable(path) for path in ("/", "/opt/venv", "/home/keras", "/work", "/tmp")
    },
}))
"""
SETUID, SETGID, KILL, CHOWN = 1 << 7, 1 << 6, 1 << 5, 1 << 0


def compose(*arguments, artifacts, **variables):
    return subprocess.run(
        ["docker", "compose", "--project-directory", str(ROOT), *arguments],
        env={**os.environ, "KERAS_REPRO_ARTIFACTS": str(artifacts), **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(params=[0, 4321], ids=["owner is root", "owner is a user"])
def artifacts(request, tmp_path):
    if os.getuid() != 0 and request.param != os.getuid():
        pytest.skip("only root can give a folder away")
    folder = tmp_path / "artifacts"
    folder.mkdir()
    os.chown(folder, request.param, request.param)
    return folder


@pytest.mark.parametrize("backend", BACKENDS)
def test_read_from_inside(backend, artifacts):
    done = compose("run", "--rm", "-T", backend, "python", "-c", PROBE, artifacts=artifacts)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["uid"], seen["gid"]) == (65534, 65534)
    assert seen["groups"] == []
    assert (seen["effective"], seen["permitted"], seen["ambient"]) == ("0" * 16,) * 3
    assert seen["no_new_privileges"] == "1"
    assert seen["bounding"] & ~(SETUID | SETGID | KILL | CHOWN) == 0
    assert seen["interfaces"] == ["lo"]
    assert not seen["connects"]
    assert seen["writable"].pop("/tmp") is True
    assert set(seen["writable"].values()) == {"OSError30"}  # EROFS, not merely no permission


def test_files_belong_to_the_owner_of_the_artifacts(artifacts, a_backend, tmp_path):
    script = tmp_path / "who.py"
    script.write_text(
        "import os, numpy as np\nprint('UID', os.getuid())\n"
        "import matplotlib.pyplot as plt\nplt.plot([1]); plt.show()\n"
        "from keras.models import Sequential\nfrom keras.layers import Dense\n"
        "model = Sequential([Dense(1, input_shape=(1,))])\n"
        "model.compile(loss='mse', optimizer='sgd')\n"
        "model.train_on_batch(np.ones((1, 1)), np.ones((1, 1)))\n"
    )
    os.chmod(tmp_path, 0o700)  # a folder that its owner alone can read
    if artifacts.stat().st_uid:
        os.chmod(tmp_path, 0o755)
    done = compose(
        "run",
        "--rm",
        "-T",
        a_backend,
        "who.py",
        artifacts=artifacts,
        KERAS_REPRO_WORK=str(tmp_path),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = artifacts / "who" / a_backend
    assert "UID 65534" in (run / "log.txt").read_text()
    owners = {path: path.stat().st_uid for path in artifacts.rglob("*")}
    assert len(owners) >= 6
    assert set(owners.values()) == {artifacts.stat().st_uid}


def test_the_compose_file_is_valid_and_every_service_is_hardened(tmp_path):
    done = compose("config", "--format", "json", artifacts=tmp_path)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == set(BACKENDS)
    for service in services.values():
        assert service["network_mode"] == "none"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service.get("privileged")
        targets = {volume["target"]: volume.get("read_only") for volume in service["volumes"]}
        assert targets == {"/work": True, "/artifacts": None, "/cache": None}


@pytest.mark.parametrize(
    ("setting", "platform"),
    [({}, "linux/amd64"), ({"KERAS_REPRO_PLATFORM": "linux/arm64"}, "linux/arm64")],
)
def test_the_platform_is_a_setting(tmp_path, setting, platform):
    done = compose("config", "--format", "json", artifacts=tmp_path, **setting)
    assert done.returncode == 0, done.stderr
    for service in json.loads(done.stdout)["services"].values():
        assert service["platform"] == platform
