"""What the manual shows is true: its code runs, its links lead somewhere, its commands exist."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unmask import cli
from unmask.schema import SCHEMA

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EXAMPLES = sorted(ROOT.glob("docs/examples/*.py"))
CODE = re.compile(r"^```python(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
COMMAND = re.compile(r"^(?:\$ )?unmask ([a-z]\w*)", re.MULTILINE)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def run(example: Path, folder: Path) -> str:
    """Return what an example prints; the makers of the tests can be imported."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@each_page
def test_code_that_names_a_file_equals_it(page: Path) -> None:
    for name, code in CODE.findall(page.read_text()):
        assert not name or code == (ROOT / name).read_text(), f"copy {name} into {page.name}"


@each_page
def test_code_without_a_file_is_python_and_imports_what_exists(page: Path) -> None:
    for name, code in CODE.findall(page.read_text()):
        for statement in [] if name else ast.parse(code).body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                exec(ast.unparse(statement), {})


@each_page
def test_links_lead_to_files(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@each_page
def test_commands_exist(page: Path) -> None:
    (folder,) = cli.__path__
    for block in SHELL.findall(page.read_text()):
        for command in COMMAND.findall(block):
            assert (Path(folder) / f"{command}.py").exists(), f"{page.name} runs unmask {command}"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    run(example, tmp_path)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_stands_in_the_manual(example: Path) -> None:
    name = example.relative_to(ROOT).as_posix()
    assert any(name == named for page in PAGES for named, _ in CODE.findall(page.read_text()))


def test_the_manual_explains_every_column_of_a_catalog() -> None:
    text = (ROOT / "docs/catalog.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(SCHEMA)


def test_the_manual_shows_what_the_catalog_example_prints(tmp_path: Path) -> None:
    text = (ROOT / "docs/catalog.md").read_text()
    shown = re.findall(r"```text\n(.*?)\.\.\.\n```", text, re.DOTALL)[0].splitlines()
    output = run(ROOT / "docs/examples/catalog.py", tmp_path)
    printed = [line.rstrip() for line in output.splitlines()]
    assert printed[: len(shown)] == shown
