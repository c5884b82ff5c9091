"""The import contracts that pyproject.toml must hold for the packages that exist."""

import json
import tomllib
from pathlib import Path
from typing import Any

from .tree import APPS, LAYERS, PRODUCT

Contract = dict[str, Any]


def settings(root: Path) -> dict[str, Any]:
    """Return the import-linter section of a tree's pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    return found


def section(present: frozenset[str], with_models: frozenset[str]) -> str:
    """Return the section to write into pyproject.toml for these packages."""
    roots = [name for name in (*PRODUCT, "sandbox") if name in present]
    lines = ["[tool.importlinter]", f"root_packages = {json.dumps(roots)}"]
    # Lets a contract name a package that does not exist yet.
    lines += ["include_external_packages = true"]
    lines += _contract("a layer imports only what stands below it", "layers", layers=layer_lines())
    for app in (name for name in APPS if name in with_models - {"core"}):
        models, own = [f"{app}.models"], [app]
        lines += _contract(
            f"the models of {app} are private", "protected", protected_modules=models, allowed_importers=own
        )
    if "sandbox" in present:
        product = [name for name in PRODUCT if name in present]
        lines += _contract(
            "the sandbox imports nothing of the product",
            "forbidden",
            source_modules=["sandbox"],
            forbidden_modules=list(PRODUCT),
        )
        lines += _contract(
            "nothing of the product imports the sandbox",
            "forbidden",
            source_modules=product,
            forbidden_modules=["sandbox"],
        )
    return "\n".join(lines) + "\n"


def _contract(name: str, kind: str, **lists: list[str]) -> list[str]:
    lines = ["", "[[tool.importlinter.contracts]]", f'name = "{name}"', f'type = "{kind}"']
    return lines + [f"{key} = {json.dumps(value)}" for key, value in lists.items()]


def layer_lines() -> list[str]:
    """Return the layers as import-linter writes them: brackets let a layer be absent, `|` keeps two apart."""
    return [" | ".join(f"({name})" for name in layer) for layer in LAYERS]


def missing(found: dict[str, Any], present: frozenset[str], with_models: frozenset[str]) -> list[str]:
    """Return what the section lacks for the packages present and the apps that have models, in words."""
    contracts: list[Contract] = found.get("contracts", [])
    problems = [f"add {name!r} to root_packages" for name in sorted(present - set(found["root_packages"]))]
    problems += [
        f"remove {name!r} from root_packages" for name in sorted(set(found["root_packages"]) - present)
    ]
    problems += [
        f"contract {contract['name']!r} ignores imports: mend the import instead"
        for contract in contracts
        if contract.get("ignore_imports") or contract.get("allow_indirect_imports")
    ]
    if [contract["layers"] for contract in contracts if contract["type"] == "layers"] != [layer_lines()]:
        problems.append(f"the one layers contract must read {layer_lines()}")
    for app in sorted(with_models - {"core"}):
        if not any(_protects(contract, app) for contract in contracts):
            problems.append(f"add a protected contract for {app}.models with {app} as its only importer")
    if "sandbox" in present:
        problems += _apart(contracts, present & set(PRODUCT))
    return problems


def _protects(contract: Contract, app: str) -> bool:
    return (
        contract["type"] == "protected"
        and f"{app}.models" in contract["protected_modules"]
        and contract["allowed_importers"] == [app]
        and contract.get("as_packages", True)
    )


def _apart(contracts: list[Contract], product: frozenset[str]) -> list[str]:
    pairs = {
        (source, target)
        for contract in contracts
        if contract["type"] == "forbidden"
        for source in contract["source_modules"]
        for target in contract["forbidden_modules"]
    }
    wanted = {(name, "sandbox") for name in product} | {("sandbox", name) for name in (*APPS, "config")}
    return [f"forbid {source} to import {target}" for source, target in sorted(wanted - pairs)]
