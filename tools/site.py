# SPDX-License-Identifier: BSL-1.0
"""A hook of MkDocs (mkdocs.yml): the documents as they are on disk, made pages of a site.

Documents of the root are pages beside those of docs/, the README the first. Files that documents link to are copied into the site; of a link to a
directory the text stays. The roles of blocks that test/docs.py reads are left out.
"""
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def linked(directory, target):
    """The file or directory of the tree that a link means; None where it leads elsewhere."""
    place = (directory / target).resolve()
    return place if "://" not in target and place.is_relative_to(ROOT) and place.exists() else None


def place_in_site(place):
    """docs/ is the site's root; whatever else there is keeps its path."""
    docs = ROOT / "docs"
    return place.relative_to(docs if place.is_relative_to(docs) else ROOT).as_posix()


def on_files(files, config):
    documents = [*(ROOT / name for name in PAGES), *(ROOT / "docs").glob("*.md")]
    wanted = dict.fromkeys(PAGES)
    for document in documents:
        for _, target, _ in LINK.findall(document.read_text()):
            place = linked(document.parent, target)
            if place and place.is_file() and not place.is_relative_to(ROOT / "docs"):
                wanted[place_in_site(place)] = None
    for name in wanted:
        files.append(File(name, str(ROOT), config["site_dir"], config["use_directory_urls"]))
    return files


def on_page_markdown(markdown, page, **_):
    directory = Path(page.file.abs_src_path).parent

    def site_link(match):
        text, target, anchor = match.groups()
        place = linked(directory, target)
        if place is None:
            return match[0]
        return text if place.is_dir() else f"[{text}]({place_in_site(place)}{anchor or ''})"

    return re.sub(r"^```(\w+) \w+$", r"```\1", LINK.sub(site_link, markdown), flags=re.M)
