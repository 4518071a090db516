"""A package index of planted releases, in a folder: what there is to find is known beforehand."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class PlantedIndex:
    """Wheels, and the pages of a simple index (PEP 503) that list them."""

    folder: Path

    @property
    def url(self) -> str:
        return (self.folder / "simple").as_uri()

    @property
    def variables(self) -> dict[str, str]:
        """What tells uv, and so keras-repro, of it; the ordinary index has all the rest."""
        return {"UV_INDEX": self.url}

    def release(
        self,
        name: str,
        version: str,
        value: float,
        *,
        requires: tuple[str, ...] = (),
        python: str = "",
        yanked: bool = False,
        tag: str = "py3-none-any",
        breaks: bool = False,
        more: dict[str, str] | None = None,
    ) -> str:
        """Add a release of a module that holds ``value``; where it ``breaks``, its import fails.

        ``more`` are files that the wheel has besides. Returns its SHA-256.
        """
        module = name.replace("-", "_")
        file = f"{module}-{version}-{tag}.whl"
        code = "raise RuntimeError('planted')\n" if breaks else f"VALUE = {value!r}\n"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
        metadata += f"Requires-Python: {python}\n" if python else ""
        info = f"{module}-{version}.dist-info"
        wheel = f"Wheel-Version: 1.0\nGenerator: planted\nRoot-Is-Purelib: true\nTag: {tag}\n"
        files = {
            f"{module}.py": code,
            f"{info}/METADATA": metadata,
            f"{info}/WHEEL": wheel,
            **(more or {}),
        }
        record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
        path = self.folder / "files" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in {**files, f"{info}/RECORD": record}.items():
                archive.writestr(zipfile.ZipInfo(member), text)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        attributes = f' data-requires-python="{python.replace(">", "&gt;")}"' if python else ""
        attributes += ' data-yanked="planted"' if yanked else ""
        page = self.folder / "simple" / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as text:
            text.write(f'<a href="../../files/{file}#sha256={digest}"{attributes}>{file}</a><br>\n')
        return digest
