"""The parts of CONTRIBUTING.md keep every contract, installed as another package's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs/examples"
PARTS = {
    "unmask.attacks": ("fast_gradient", "FastGradient"),
    "unmask.defences": ("box_blur", "BoxBlur"),
    "unmask.degrade": ("pixelate", "Pixelate"),
    "unmask.detectors": ("one_convolution", "OneConvolution"),
    "unmask.generators": ("blurred_face", "BlurredFace"),
    "unmask.datasets": ("two_folders", "TwoFolders"),
}


def install(site: Path) -> None:
    """Write the examples as a package that offers them, and the maker beside the others."""
    info, makers = site / "extra-1.0.dist-info", site / "makers"
    for folder in (info, makers):
        folder.mkdir()
    shutil.copy(EXAMPLES / "two_folders_maker.py", makers / "two_folders.py")
    offered = ""
    for group, (name, part) in PARTS.items():
        shutil.copy(EXAMPLES / f"{name}.py", site)
        offered += f"[{group}]\n{name} = {name}:{part}\n"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(offered)


def test_the_parts_of_the_guide_pass_the_tests_that_every_part_must_pass(tmp_path: Path) -> None:
    install(tmp_path)
    chosen = " or ".join(name for name, _ in PARTS.values())
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-rp", "tests/contracts", "-k", chosen],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    for name, _ in PARTS.values():
        assert f"{name}]" in ran.stdout, f"no contract was tried on {name}"
