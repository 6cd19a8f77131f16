"""The names of files and JSON members on the page about operating the service exist."""

import json
import re

from wgig.store.files import ASIDE_FOLDER, MANIFEST_FILE, PREVIOUS_STORE_PREFIX

from tests.docs.blocks import read_docs_page

PAGE = read_docs_page("how-to/operating.md")


def test_names_on_the_page_are_those_of_the_code() -> None:
    (shown,) = re.findall(r"^\{.*\}$", PAGE, re.MULTILINE)
    progress_members = {"copying", "indexing", "comparing", "describing"}
    assert json.loads(shown).keys() == {
        "status",
        "lastBackup",
        "failedWrite",
        "failedProjections",
        "rules",
        "failedNotifications",
        *progress_members,
    }
    assert f"`{MANIFEST_FILE}`" in PAGE
    assert f"`{ASIDE_FOLDER}/{PREVIOUS_STORE_PREFIX}…`" in PAGE
