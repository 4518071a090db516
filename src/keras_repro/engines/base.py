"""The image of Python and Debian that a backend's image is built on: which one it was."""

from typing import Any, NamedTuple

from docker import DockerClient
from docker.errors import DockerException

from keras_repro.backends import Backend

REPOSITORY = "python"


class Base(NamedTuple):
    """An image that others are built on.

    ``digest`` is the one by which a registry has it, None where it came in another way, such as
    ``docker load``.
    """

    id: str
    digest: str | None


def base_name(backend: Backend) -> str:
    """Return the name of the base of a backend's image, as the Dockerfile has it."""
    return f"{REPOSITORY}:{backend.python}-slim-bookworm"


def base_of(client: DockerClient, image: str) -> Base | None:
    """Return the base of an image, None where Docker does not have it, or no longer.

    It is told by its layers, which are the image's first: a name may be a newer one's by now.
    """
    try:
        layers = _layers(client.images.get(image))
        known = client.images.list(name=REPOSITORY)
    except (DockerException, OSError):
        return None
    found = [one for one in known if layers[: len(_layers(one))] == _layers(one) != layers]
    if not found:
        return None
    base = max(found, key=lambda one: len(_layers(one)))
    digests = base.attrs.get("RepoDigests") or [""]
    return Base(str(base.id), digests[0].partition("@")[2] or None)


def variables(base: Base | None) -> dict[str, str]:
    """Return the variables by which the recorder is told, through docker-compose.yml."""
    return {
        "KERAS_REPRO_BASE_IMAGE": base.id if base else "",
        "KERAS_REPRO_BASE_DIGEST": (base.digest if base else None) or "",
    }


def _layers(image: Any) -> list[str]:
    return list(image.attrs["RootFS"].get("Layers") or [])
