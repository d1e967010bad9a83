import subprocess
import sys
from types import ModuleType

import pytest

from unmask.detectors import torchvision_shim
from unmask.detectors.torchvision_shim import import_torchvision
from unmask.errors import MissingDependencyError


def test_torchvision_can_be_imported_beside_this_torch() -> None:
    code = (  # in a fresh interpreter: what is imported cannot be undone
        "from unmask.detectors.torchvision_shim import import_torchvision\n"
        "import_torchvision()\n"
        "import torchvision.transforms.v2, torchvision.models\n"
        "print(torchvision.models.resnet18(num_classes=2).fc.out_features)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "2", done.stderr


def test_nothing_is_declared_where_torchvision_imports_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torchvision_shim, "import_module", ModuleType)
    monkeypatch.setattr(torchvision_shim, "_declared", [])
    import_torchvision()
    assert torchvision_shim._declared == []


def test_another_failure_of_the_import_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise RuntimeError("something else")

    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torchvision_shim, "import_module", broken)
    with pytest.raises(RuntimeError, match="something else"):
        import_torchvision()


def test_without_torchvision_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(torchvision_shim, "import_module", missing)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[timm\]'"):
        import_torchvision()
