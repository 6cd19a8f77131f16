"""What the page about operating the service names is called so."""

import json
import re

from wgig.store.backup.manifest import MANIFEST_FILE
from wgig.store.files import ASIDE_FOLDER, PREVIOUS_STORE_PREFIX

from tests.docs.blocks import page

PAGE = page("how-to/operating.md")


def test_what_it_names_is_called_so() -> None:
    (shown,) = re.findall(r"^\{.*\}$", PAGE, re.MULTILINE)
    under_way = {"copying", "indexing", "comparing", "describing"}
    assert json.loads(shown).keys() == {"status", "lastBackup", "failedWrite", *under_way}
    assert f"`{MANIFEST_FILE}`" in PAGE
    assert f"`{ASIDE_FOLDER}/{PREVIOUS_STORE_PREFIX}…`" in PAGE
