#!/usr/bin/env python3
"""The pages for people: every relative link and anchor leads somewhere, and every page below docs/ is in the site's navigation.

    docs_test.py ROOT          links and navigation
    docs_test.py ROOT site     `mkdocs build --strict` as well; exit code 77 where there is no mkdocs"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

root = pathlib.Path(sys.argv[1]).resolve()
TOP = [root / name for name in ("README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")]
pages = TOP + sorted((root / "docs").rglob("*.md")) + sorted((root / "examples").rglob("README.md"))
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
CODE = re.compile(r"(?m)^    .*$|`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors_of(page):
    """As GitHub and mkdocs make them of headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), flags=re.M)
    return {re.sub(r"[ -]+", "-", re.sub(r"[^\w\s-]", "", heading.lower())).strip("-") for heading in headings}


def bad_links():
    seen = 0
    for page in pages:
        for target in LINK.findall(CODE.sub("", FENCE.sub("", page.read_text()))):
            if re.match(r"https?:|mailto:", target):
                continue
            seen += 1
            path, _, anchor = target.partition("#")
            to = (page.parent / path).resolve() if path else page
            if not to.is_relative_to(root):
                yield f"{page.relative_to(root)}: '{target}' leads out of the repository"
            elif not to.exists():
                yield f"{page.relative_to(root)}: '{target}' leads nowhere"
            elif anchor and anchor not in anchors_of(to):
                yield f"{page.relative_to(root)}: '{to.name}' has no heading for '#{anchor}'"
    assert seen > 40, f"only {seen} links were seen"


def bad_mentions():
    """`docs/decisions/010` in a text or in a comment of the code is a page too, by the beginning of its name."""
    texts = pages + [path for folder in ("src", "apps", "nix", "packaging") for path in (root / folder).rglob("*") if path.is_file()]
    for text in texts:
        for name in re.findall(r"(?<![\w/])docs/(?:decisions/\d+|[\w/-]+\.md)", text.read_text(errors="replace")):
            if "NN" not in name and not any(root.glob(name + "*")):
                yield f"{text.relative_to(root)}: there is no '{name}'"


def named(nav):
    if isinstance(nav, list):
        return [name for one in nav for name in named(one)]
    return named(list(nav.values())) if isinstance(nav, dict) else [nav]


def bad_navigation():
    names = named(yaml.safe_load((root / "mkdocs.yml").read_text())["nav"])
    for name in {name for name in names if names.count(name) > 1}:
        yield f"mkdocs.yml: '{name}' stands twice in nav"
    folders = tuple(name for name in names if name.endswith("/"))
    for page in sorted((root / "docs").rglob("*.md")):
        name = str(page.relative_to(root / "docs"))
        if name not in names and not name.startswith(folders):
            yield f"mkdocs.yml: docs/{name} is not in nav: put it under one of its four headings"
    for name in names:
        if not (root / "docs" / name).exists() and root / name not in TOP:
            yield f"mkdocs.yml: nav names '{name}', which is not there"


def main():
    if sys.argv[2:] == ["site"]:
        if not shutil.which("mkdocs"):
            print("NOT RUN HERE: the site: there is no mkdocs (Debian's package mkdocs)")
            return 77
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(["mkdocs", "build", "--quiet", "--strict", "--site-dir", folder], cwd=root).returncode
    bad = [*bad_links(), *bad_mentions(), *bad_navigation()]
    print("\n".join(bad))
    return 1 if bad else 0


sys.exit(main())
