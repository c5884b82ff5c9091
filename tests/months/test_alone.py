"""The months know nothing of the product: what is wrong in one must not be wrong in the other."""

import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports relatively"
            found.add(node.module or "")
    return found


def test_only_the_standard_library_is_imported() -> None:
    writers = [path for path in HERE.glob("*.py") if not path.name.startswith("test_")]
    assert len(writers) > 10
    for path in writers:
        for name in _imported(path):
            own = name == "tests.months" or name.startswith("tests.months.")
            assert own or name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_a_month_is_made_without_anything_of_the_product_loaded() -> None:
    """In a process of its own, where nobody else has loaded it."""
    packages = sorted({path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"})
    assert {"core", "ledger", "reconciliation", "sandbox"} <= set(packages)
    code = (
        "import io, sys\nfrom tests.months import month\n"
        "made = month(1, 200, '2026-10')\n"
        "assert sum(1 for _ in made.events()) > 200\n"
        "[file.write(io.BytesIO()) for file in (*made.psp_files(), *made.bank_files())]\n"
        f"loaded = {{name.split('.')[0] for name in sys.modules}} & {{*{packages!r}, 'django'}}\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
