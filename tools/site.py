"""What mkdocs.yml calls while it builds the site (mkdocs' hooks).

- ARCHITECTURE.md and its like, which stand at the repository's top, are pages of the site as well.
- "findings/" in the navigation is a page that lists those of that folder.
- The keys of the declaration follow the text of reference.md, from the schema.
- Links to what is no page (examples, code) become plain text."""
import pathlib
import re
import subprocess
import sys
import tempfile

from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).resolve().parents[1]
TOP = ("ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
folders = []
made = tempfile.TemporaryDirectory()  # the lists
LINK = re.compile(r"\[([^\]\n]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def title_of(path):
    return path.read_text().split("\n", 1)[0].lstrip("# ")


def expanded(nav):
    """The navigation with a page "findings.md" in the place of each "findings/"."""
    if isinstance(nav, list):
        return [expanded(one) for one in nav]
    if isinstance(nav, dict):
        return {title: expanded(one) for title, one in nav.items()}
    if nav.endswith("/"):
        folders.append(nav.rstrip("/"))
        return nav.rstrip("/") + ".md"
    return nav


def list_of(folder, docs):
    pages = sorted((docs / folder).glob("*.md"))
    lines = [f"- [{title_of(page)}]({folder}/{page.name})\n" for page in pages]
    return f"# {folder.capitalize()}\n\n" + "".join(lines)


def keys_of_the_declaration():
    schema = (ROOT / "packaging/vmcred.schema.json").read_bytes()
    page = subprocess.run([sys.executable, ROOT / "packaging/manual-of-schema"], input=schema, stdout=subprocess.PIPE, check=True)
    text = page.stdout.decode().split("# TOP LEVEL", 1)[1].split("# SEE ALSO", 1)[0]
    text = re.sub(r"^\*(.+)\*$", r"### \1", "# Top level" + text.replace("A LIST OF TABLES", "a list"), flags=re.M)
    return re.sub(r"^# ", "## ", text.replace("\t", ""), flags=re.M)


def on_config(config):
    folders.clear()
    config["nav"] = expanded(config["nav"])
    return config


def on_files(files, config):
    for name in TOP:
        files.append(File(name, str(ROOT), config["site_dir"], config["use_directory_urls"]))
    for folder in folders:
        page = pathlib.Path(made.name) / f"{folder}.md"
        page.write_text(list_of(folder, pathlib.Path(config["docs_dir"])))
        files.append(File(page.name, made.name, config["site_dir"], config["use_directory_urls"]))
    return files


def on_page_markdown(markdown, page, config, files):
    folder = pathlib.PurePosixPath(page.file.src_uri).parent

    def linked(match):
        text, target, anchor = match.groups()
        if page.file.src_uri in TOP:
            target = target.removeprefix("docs/")
        elif target.startswith("../" * (len(folder.parts) + 1)):  # out of docs/
            target = "../" * len(folder.parts) + target.removeprefix("../" * (len(folder.parts) + 1))
        if not target.endswith(".md") or target.endswith("README.md"):
            return text
        return f"[{text}]({target}{anchor or ''})"

    # A list behind a line of text is a list for the readers of these pages elsewhere.
    markdown = re.sub(r"^(?!\s*[-*|] )(\S.*)\n(- )", r"\1\n\n\2", LINK.sub(linked, markdown), flags=re.M)
    return markdown + keys_of_the_declaration() if page.file.src_uri == "reference.md" else markdown
