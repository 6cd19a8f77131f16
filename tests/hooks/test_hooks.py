"""The hook of pre-commit and the Action of GitHub, as others use them.

Each is run twice: with the checker of this environment, and installed as others install it, which takes long.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml
from wgig.cli.arguments import LANGUAGE_CHOICES, PROFILE_CHOICES
from wgig.cli.files import IGNORED_ENDING
from wgig.rdf.formats import FORMATS_BY_SUFFIX
from wgig.settings import CHECKOUT_FOLDER

GOOD = (CHECKOUT_FOLDER / "data/examples/community-networks.ttl").read_text(encoding="utf-8")
BAD = GOOD.replace("wgig:strength", "wgig:opportunity")
HOOK = yaml.safe_load((CHECKOUT_FOLDER / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[0]
ACTION = yaml.safe_load((CHECKOUT_FOLDER / "action.yml").read_text(encoding="utf-8"))
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
Run = Callable[..., subprocess.CompletedProcess[str]]


def run(
    *words: object, folder: Path, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


HERE = "the checker of this environment"
INSTALLED = pytest.param("the checker that it installs", marks=pytest.mark.long)


def committed(folder: Path) -> None:
    """Make a repository of a folder."""
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"]):
        done = run("git", "-c", "user.name=T", "-c", "user.email=t@example.org", *words, folder=folder)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of what would be committed here."""
    listed = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=CHECKOUT_FOLDER
    )
    if listed.returncode:
        pytest.skip("The checkout is no repository, so that there is nothing for pre-commit to fetch.")
    online = run(sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "hatchling",
                 folder=tmp_path_factory.mktemp("download"))  # fmt: skip
    if online.returncode:
        pytest.skip("No package can be downloaded here, and an installation needs some.")
    copy = tmp_path_factory.mktemp("sources")
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT_FOLDER / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT_FOLDER / name, copy / name)
    committed(copy)
    return copy


@pytest.fixture(params=[HERE, INSTALLED])
def hook_source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository that offers the hook: this one, or one whose hook takes the checker that is there."""
    if not shutil.which("git"):
        pytest.skip("There is no git, with which pre-commit fetches hooks.")
    if request.param != HERE:
        sources: Path = request.getfixturevalue("sources")
        return sources
    folder = tmp_path / "source"
    folder.mkdir()
    hook = HOOK | {"language": "system"}
    (folder / ".pre-commit-hooks.yaml").write_text(yaml.safe_dump([hook]), encoding="utf-8")
    committed(folder)
    return folder


def test_the_hook_lets_a_complete_paper_pass_and_stops_others(hook_source: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "papers").mkdir(parents=True)
    (theirs / "notes.ttl").write_text("no paper")
    (theirs / "papers" / "paper.ttl").write_text(GOOD, encoding="utf-8")
    (theirs / "papers" / "README.md").write_text("# hi")
    committed(theirs)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "home"), "PATH": path}
    command = [sys.executable, "-m", "pre_commit", "try-repo", hook_source, "wgig-check", "--all-files"]
    done = run(*command, folder=theirs, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    (theirs / "papers" / "paper.ttl").write_text(BAD, encoding="utf-8")
    done = run(*command, folder=theirs, environment=environment)
    assert done.returncode == 1
    assert "exit code: 1" in done.stdout
    assert "WGIG-3-STRENGTH-MISSING" in done.stdout


def test_the_hook_takes_every_ending_that_is_looked_for_in_a_folder() -> None:
    pattern = re.compile(HOOK["files"])
    assert all(
        pattern.search(f"papers/sub/a.{suffix}") for suffix in FORMATS_BY_SUFFIX if suffix != IGNORED_ENDING
    )
    assert not any(pattern.search(name) for name in ("papers/a.json", "papers/a.txt", "notes/a.md"))


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text of the Action with the values of its expressions."""
    return EXPRESSION.sub(lambda found: values[found[1]], text)


def scripts() -> dict[str, dict[str, object]]:
    """The steps of the Action that are scripts, by name."""
    return {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}


@pytest.fixture(scope="module", params=[HERE, INSTALLED])
def act(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a script of the Action: `act("Check the papers", folder, profile="final")`."""
    temporary = tmp_path_factory.mktemp("runner")
    sources = request.getfixturevalue("sources") if request.param != HERE else CHECKOUT_FOLDER
    defaults = {f"inputs.{name}": str(of["default"]) for name, of in ACTION["inputs"].items()}
    context = {"steps.python.outputs.python-path": sys.executable, "github.action_path": str(sources)}

    def call(name: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        step = scripts()[name]
        given = {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
        values = context | defaults | given
        environment = {key: filled(value, values) for key, value in dict(step["env"]).items()}  # type: ignore[call-overload]
        runner = {"RUNNER_TEMP": str(temporary), "GITHUB_OUTPUT": str(folder / "output")}
        script = filled(str(step["run"]), values)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return run(*command, folder=folder, environment=os.environ | runner | environment)

    if request.param == HERE:
        (temporary / "wgig").symlink_to(sys.prefix)
    else:
        done = call("Install the checker", temporary)
        assert done.returncode == 0, done.stderr
    return call


def test_the_action_annotates_and_fails_as_asked(act: Run, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "good.ttl").write_text(GOOD, encoding="utf-8")
    (tmp_path / "a bad one.ttl").write_text(BAD, encoding="utf-8")

    def check(**inputs: str) -> subprocess.CompletedProcess[str]:
        return act("Check the papers", tmp_path, **inputs)

    done = check()
    assert (done.returncode, done.stdout) == (0, "")
    done = check(paths="papers\n  a bad one.ttl \n", sarif="out/report.sarif", lang="fr")
    assert done.returncode == 1
    assert re.search(
        r"^::error file=a bad one\.ttl,line=\d+,col=\d+,title=WGIG-3-STRENGTH-MISSING::", done.stdout
    )
    assert "WGIG-3-STRENGTH-MISSING" in (tmp_path / "out" / "report.sarif").read_text(encoding="utf-8")
    assert check(paths="a bad one.ttl", fail_on="unreadable").returncode == 0
    (tmp_path / "torn [1].ttl").write_text(GOOD[:3000], encoding="utf-8")
    assert check(paths="torn [1].ttl", fail_on="unreadable").returncode == 2
    done = check(paths="a*.ttl\npapers/*", fail_on="never", profile="final")
    assert (done.returncode, done.stdout.count("a bad one.ttl") > 0) == (0, True)
    codes = (tmp_path / "output").read_text(encoding="utf-8").split()
    assert codes == ["code=0", "code=1", "code=1", "code=2", "code=1"]


@pytest.mark.parametrize(
    "inputs",
    [
        {"profile": "foo"},
        {"lang": "xx"},
        {"paths": "missing.ttl"},
        {"paths": "*.nothing"},
        {"paths": " \n"},
        {"paths": "$(touch hacked)"},
        {"fail_on": "nevr"},
        {"sarif": "good.ttl/report.sarif"},
        {"sarif": "good.ttl"},
    ],
    ids=str,
)
def test_the_action_fails_at_a_wrong_call_whatever_fails_it_else(
    act: Run, tmp_path: Path, inputs: dict[str, str]
) -> None:
    (tmp_path / "good.ttl").write_text(GOOD, encoding="utf-8")
    done = act("Check the papers", tmp_path, **{"paths": "good.ttl", "fail_on": "never"} | inputs)
    assert done.returncode > 0
    assert (done.stdout + done.stderr).strip()
    assert not (tmp_path / "hacked").exists()


def test_what_the_action_offers_is_what_the_shell_knows() -> None:
    for name, words in (("profile", PROFILE_CHOICES), ("lang", LANGUAGE_CHOICES)):
        assert set(words) <= set(re.findall(r"\w+", ACTION["inputs"][name]["description"]))
