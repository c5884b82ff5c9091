"""The edges: serializers that only parse, pages that escape."""

import ast
import re
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import last, nodes
from ..tree import in_product, top

UNSAFE_TEMPLATE = re.compile(r"\|\s*safe\b(?!seq)|\|\s*safeseq\b|\{%\s*autoescape\s+off")
MARKS = {"mark_safe", "SafeString", "SafeText"}


def _product(path: PurePosixPath) -> bool:
    return python(path) and in_product(path)


def _pages(path: PurePosixPath) -> bool:
    return (path.suffix == ".html" or python(path)) and (
        in_product(path) or top(path) in ("templates", "sandbox")
    )


def _model_serializers(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Name, ast.Attribute):
        if last(node) in ("ModelSerializer", "HyperlinkedModelSerializer", "ModelViewSet"):
            yield node.lineno, f"{last(node)} ties the contract to the table and writes past the services"


def _unescaped(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    if path.suffix == ".html":
        for number, line in enumerate(source.split("\n"), 1):
            if UNSAFE_TEMPLATE.search(line):
                yield number, "the page prints text without escaping it"
    for node in nodes(tree, ast.Name, ast.Attribute):
        if last(node) in MARKS:
            yield node.lineno, f"{last(node)} switches escaping off"


RULES = (
    Rule(
        name="plain-serializers",
        cure="write a plain Serializer with the fields of the contract, and call one service",
        applies=_product,
        find=_model_serializers,
        bad=(
            ("merchants/api/serializers.py", "class SellerIn(serializers.ModelSerializer): ...\n"),
            ("payments/api/views.py", "class Orders(ModelViewSet): ...\n"),
        ),
        good=(("merchants/api/serializers.py", "class SellerIn(serializers.Serializer): ...\n"),),
    ),
    Rule(
        name="pages-escape",
        cure="use format_html or format_html_join, and let the template escape",
        applies=_pages,
        find=_unescaped,
        bad=(
            ("console/admin.py", "from django.utils.safestring import mark_safe\nx = mark_safe(name)\n"),
            ("templates/checkout/status.html", "<p>{{ name|safe }}</p>\n"),
            ("templates/checkout/status.html", "{% autoescape off %}{{ name }}{% endautoescape %}\n"),
        ),
        good=(
            ("console/admin.py", "x = format_html('<b>{}</b>', name)\n"),
            ("templates/checkout/status.html", "<p class='safe'>{{ name }}</p>\n"),
        ),
    ),
)
