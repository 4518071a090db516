"""Write what each backend's image is made of, as CycloneDX: make sbom.

cyclonedx-bom reads the Python packages, from what the image itself says of them. Debian's packages,
Python and the image's base are added. The same image gives the same bytes.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from keras_repro import backends
from keras_repro.atomic import temporary, write_whole
from keras_repro.engines import Say
from keras_repro.engines.base import Base, base_name, base_of
from keras_repro.engines.docker import DockerEngine
from keras_repro.engines.docker_client import connect
from keras_repro.engines.images import image_name
from keras_repro.errors import ExitCode, KerasReproError, UnavailableError, UnreadableError
from keras_repro.recorder.debian import STATUS, installed_packages

# Of each Python package: its name, version, licence and what it asks for; and where it came from.
READ = rf"""
cd / && tar -c -h {STATUS[1:]} etc/os-release $(
  find opt/venv/lib/python3*/site-packages usr/local/lib/python3*/site-packages -maxdepth 2 \
    -path '*.dist-info/*' '(' -name METADATA -o -name direct_url.json ')'
)
"""
PYTHON = "import platform; print(platform.python_version())"
SPECIFICATION = "1.6"
IMAGE = "image"  # the reference of the document's subject


@dataclass(frozen=True)
class Image:
    """An image, and what lies in it: ``contents`` is a tar archive with the files of ``READ``."""

    name: str
    id: str
    architecture: str
    base_name: str
    base: Base | None
    python: str
    contents: bytes


def document(image: Image) -> str:
    """Return the bill of materials of an image as JSON, which is valid CycloneDX.

    Raises:
        UnreadableError: cyclonedx-bom cannot read the packages, or the document is not valid.
    """
    with temporary("unpack the packages' facts"), tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder, "unpacked")
        try:
            with tarfile.open(fileobj=io.BytesIO(image.contents)) as archive:
                archive.extractall(unpacked, filter="data")
        except tarfile.TarError as error:
            raise UnreadableError(f"what lies in {image.name} cannot be read: {error}") from None
        bill = _of_python_packages(unpacked, Path(folder, "environment"))
        system = _system(_os_release(unpacked / "etc" / "os-release"))
        packages = installed_packages(str(unpacked / STATUS[1:]))
    own = [system, _python(image.python)]
    own += [_debian(name, version, image, system) for name, version in packages.items()]
    bill["components"] = sorted([*bill["components"], *own], key=lambda one: one["bom-ref"])
    bill["metadata"]["component"] = _subject(image)
    made_of = [one["bom-ref"] for one in bill["components"]]
    bill["dependencies"] = [{"ref": IMAGE, "dependsOn": made_of}, *bill["dependencies"]]
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    version = SchemaVersion.from_version(SPECIFICATION)
    if (error := JsonStrictValidator(version).validate_str(text)) is not None:
        raise UnreadableError(f"the bill of {image.name} is no valid CycloneDX: {error}")
    return text


def _of_python_packages(unpacked: Path, environment: Path) -> dict[str, Any]:
    """Return what cyclonedx-bom says of an environment with just the facts of these packages."""
    venv.create(environment, with_pip=False)
    where = {"base": str(environment), "platbase": str(environment)}
    site = Path(sysconfig.get_path("purelib", "venv", where))
    for path in sorted(unpacked.glob("**/site-packages/*.dist-info")):
        (site / path.name).mkdir(exist_ok=True)
        for file in path.iterdir():
            (site / path.name / file.name).write_bytes(file.read_bytes())
    command = [sys.executable, "-m", "cyclonedx_py", "environment", str(environment)]
    command += ["--output-reproducible", "--output-format", "JSON", "--spec-version", SPECIFICATION]
    done = subprocess.run(
        [*command, "--no-validate"],  # the whole is, at the end
        # The environment's Python would see what this one is told to import besides.
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UnreadableError(f"cyclonedx-bom cannot read the packages: {said}")
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def _subject(image: Image) -> dict[str, Any]:
    subject = {"type": "container", "bom-ref": IMAGE, "name": image.name, "version": image.id}
    if image.base is None:
        return subject
    base = {"type": "container", "name": image.base_name, "version": image.base.id}
    if image.base.digest is not None:
        name = PurePosixPath(image.base_name).name.partition(":")[0]
        base["purl"] = PackageURL("docker", None, name, image.base.digest).to_string()
    return {**subject, "pedigree": {"ancestors": [base]}}


def _system(release: dict[str, str]) -> dict[str, Any]:
    name, version = release.get("ID", "linux"), release.get("VERSION_ID", "")
    return {"type": "operating-system", "bom-ref": "system", "name": name, "version": version}


def _python(version: str) -> dict[str, Any]:
    return _component("application", PackageURL("generic", None, "python", version))


def _debian(name: str, version: str, image: Image, system: dict[str, Any]) -> dict[str, Any]:
    distribution = f"{system['name']}-{system['version']}"
    qualifiers = {"arch": image.architecture, "distro": distribution}
    return _component("library", PackageURL("deb", system["name"], name, version, qualifiers))


def _component(kind: str, purl: PackageURL) -> dict[str, Any]:
    address = purl.to_string()
    known = {"type": kind, "name": purl.name, "version": purl.version}
    return {**known, "bom-ref": address, "purl": address}


def _os_release(path: Path) -> dict[str, str]:
    pairs = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines()]
    return {name: value.strip("\"'") for name, _, value in pairs}


def look_into(backend: backends.Backend, image_id: str) -> Image:
    """Return a backend's image with what lies in it.

    Raises:
        UnavailableError: Docker does not run it.
    """
    client = connect(60)
    try:
        architecture = client.images.get(image_id).attrs["Architecture"]
        base = base_of(client, image_id)
    finally:
        client.close()
    return Image(
        name=image_name(backend),
        id=image_id,
        architecture=architecture,
        base_name=base_name(backend),
        base=base,
        python=_inside(image_id, "python", "-c", PYTHON).decode().strip(),
        contents=_inside(image_id, "sh", "-ec", READ),
    )


def _inside(image_id: str, command: str, *arguments: str) -> bytes:
    jail = ["--rm", "--network=none", "--read-only", "--cap-drop=ALL", "--user=65534:65534"]
    done = subprocess.run(
        ["docker", "run", *jail, f"--entrypoint={command}", image_id, *arguments],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = (lines or ["it said nothing"])[-1]
        raise UnavailableError(f"Docker could not look into {image_id}: {said}; run it again")
    return done.stdout


def _say(name: str) -> Say:
    """Return what tells what becomes of a backend, each line once however often it comes."""
    said: set[str] = set()

    def say(line: str) -> None:
        if line not in said:
            print(f"{name}: {line}", flush=True)
        said.add(line)

    return say


def main() -> int:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write what each backend's image is made of.")
    parser.add_argument("--backend", action="append", default=[], metavar="NAME")
    parser.add_argument("--to", type=Path, default=Path("sbom"), metavar="FOLDER")
    asked = parser.parse_args()
    try:
        chosen = backends.select(tuple(asked.backend))
        with DockerEngine() as engine:
            if (problem := engine.problem()) is not None:
                raise problem
            for backend in chosen:
                engine.prepare(backend, _say(backend.name))
                image_id = engine.environment_id(backend)
                assert image_id is not None
                path = asked.to / f"{backend.name}.cdx.json"
                write_whole(path, document(look_into(backend, image_id)).encode())
                print(f"wrote {path}")
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except KerasReproError as error:
        print(f"keras-repro: {error}", file=sys.stderr)
        return int(error.exit_code)
    return int(ExitCode.OK)


if __name__ == "__main__":
    sys.exit(main())
