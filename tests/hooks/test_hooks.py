"""The pre-commit hook and the GitHub Action, run as in another repository.

Each is run with the checker of this environment and, in long tests, with the checker that it installs.
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
from wgig.cli.files import IGNORED_SUFFIX
from wgig.rdf.formats import FORMATS_BY_SUFFIX
from wgig.settings import CHECKOUT_FOLDER

GOOD_PAPER = (CHECKOUT_FOLDER / "data/examples/community-networks.ttl").read_text(encoding="utf-8")
BAD_PAPER = GOOD_PAPER.replace("wgig:strength", "wgig:opportunity")  # states no strength
# The declarations of the hook and of the Action.
HOOK = yaml.safe_load((CHECKOUT_FOLDER / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[0]
ACTION = yaml.safe_load((CHECKOUT_FOLDER / "action.yml").read_text(encoding="utf-8"))
EXPRESSION_PATTERN = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
ScriptRunner = Callable[..., subprocess.CompletedProcess[str]]
# pip would compile all packages, which takes half of an installation.
os.environ["PIP_NO_COMPILE"] = "1"


def run_command(
    *arguments: object, folder: Path, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, arguments)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


THIS_CHECKER = "the checker of this environment"
INSTALLED_CHECKER = pytest.param("the checker that it installs", marks=pytest.mark.long)


def commit_all(folder: Path) -> None:
    """Make a folder a Git repository and commit all its files."""
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"]):
        process = run_command(
            "git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments, folder=folder
        )
        assert process.returncode == 0, process.stderr


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the files of this checkout that Git does not ignore."""
    git_process = run_command(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=CHECKOUT_FOLDER
    )
    if git_process.returncode:
        pytest.skip("The checkout is no Git repository, which pre-commit needs to install the hook.")
    download = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "hatchling"]
    pip_process = run_command(*download, folder=tmp_path_factory.mktemp("download"))
    if pip_process.returncode:
        pytest.skip("No package can be downloaded, which the installation needs.")
    copy_folder = tmp_path_factory.mktemp("sources")
    for name in filter(None, git_process.stdout.split("\0")):
        if (CHECKOUT_FOLDER / name).is_file():
            (copy_folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT_FOLDER / name, copy_folder / name)
    commit_all(copy_folder)
    return copy_folder


@pytest.fixture(params=[THIS_CHECKER, INSTALLED_CHECKER])
def hook_source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository with the hook: a copy of this one, or one that runs the checker of this environment."""
    if not shutil.which("git"):
        pytest.skip("There is no git, which pre-commit needs to fetch hooks.")
    if request.param != THIS_CHECKER:
        sources: Path = request.getfixturevalue("sources")
        return sources
    folder = tmp_path / "source"
    folder.mkdir()
    hook = HOOK | {"language": "system", "additional_dependencies": []}
    (folder / ".pre-commit-hooks.yaml").write_text(yaml.safe_dump([hook]), encoding="utf-8")
    commit_all(folder)
    return folder


def test_the_hook_passes_a_complete_paper_and_fails_for_others(hook_source: Path, tmp_path: Path) -> None:
    repository = tmp_path / "theirs"
    (repository / "papers").mkdir(parents=True)
    (repository / "notes.ttl").write_text("no paper")
    (repository / "papers" / "paper.ttl").write_text(GOOD_PAPER, encoding="utf-8")
    (repository / "papers" / "README.md").write_text("# hi")
    head = run_command("git", "rev-parse", "HEAD", folder=hook_source).stdout.strip()
    config = {"repos": [{"repo": str(hook_source), "rev": head, "hooks": [{"id": "wgig-check"}]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    commit_all(repository)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # Both runs use the same installation of the hook.
    environment = os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "home"), "PATH": path}
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
    process = run_command(*command, folder=repository, environment=environment)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Passed" in process.stdout
    (repository / "papers" / "paper.ttl").write_text(BAD_PAPER, encoding="utf-8")
    process = run_command(*command, folder=repository, environment=environment)
    assert process.returncode == 1
    assert "exit code: 1" in process.stdout
    assert "WGIG-3-STRENGTH-MISSING" in process.stdout


def test_the_hook_checks_files_with_every_known_suffix() -> None:
    pattern = re.compile(HOOK["files"])
    assert all(
        pattern.search(f"papers/sub/a.{suffix}") for suffix in FORMATS_BY_SUFFIX if suffix != IGNORED_SUFFIX
    )
    assert not any(pattern.search(name) for name in ("papers/a.json", "papers/a.txt", "notes/a.md"))


def fill_expressions(text: str, values: Mapping[str, str]) -> str:
    """A text of the Action with its expressions `${{ ... }}` replaced by their values."""
    return EXPRESSION_PATTERN.sub(lambda match: values[match[1]], text)


def get_script_steps() -> dict[str, dict[str, object]]:
    """The steps of the Action that run a script, by name."""
    return {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}


@pytest.fixture(scope="module", params=[THIS_CHECKER, INSTALLED_CHECKER])
def run_step(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ScriptRunner:
    """A function that runs a step of the Action: `run_step("Check the papers", folder, profile="final")`."""
    runner_folder = tmp_path_factory.mktemp("runner")
    sources = request.getfixturevalue("sources") if request.param != THIS_CHECKER else CHECKOUT_FOLDER
    defaults = {
        f"inputs.{name}": str(declaration["default"]) for name, declaration in ACTION["inputs"].items()
    }
    context = {"steps.python.outputs.python-path": sys.executable, "github.action_path": str(sources)}

    def run_script(name: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
        step = get_script_steps()[name]
        input_values = {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
        values = context | defaults | input_values
        environment = {key: fill_expressions(value, values) for key, value in dict(step["env"]).items()}  # type: ignore[call-overload]
        runner = {"RUNNER_TEMP": str(runner_folder), "GITHUB_OUTPUT": str(folder / "output")}
        script = fill_expressions(str(step["run"]), values)
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return run_command(*command, folder=folder, environment=os.environ | runner | environment)

    if request.param == THIS_CHECKER:
        (runner_folder / "wgig").symlink_to(sys.prefix)  # where the Action installs the checker
    else:
        process = run_script("Install the checker", runner_folder)
        assert process.returncode == 0, process.stderr
    return run_script


def test_the_action_writes_annotations_and_fails_as_requested(run_step: ScriptRunner, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "good.ttl").write_text(GOOD_PAPER, encoding="utf-8")
    (tmp_path / "a bad one.ttl").write_text(BAD_PAPER, encoding="utf-8")

    def check(**inputs: str) -> subprocess.CompletedProcess[str]:
        return run_step("Check the papers", tmp_path, **inputs)

    process = check()
    assert (process.returncode, process.stdout) == (0, "")
    process = check(paths="papers\n  a bad one.ttl \n", sarif="out/report.sarif", lang="fr")
    assert process.returncode == 1
    assert re.search(
        r"^::error file=a bad one\.ttl,line=\d+,col=\d+,title=WGIG-3-STRENGTH-MISSING::", process.stdout
    )
    assert "WGIG-3-STRENGTH-MISSING" in (tmp_path / "out" / "report.sarif").read_text(encoding="utf-8")
    assert check(paths="a bad one.ttl", fail_on="unreadable").returncode == 0
    (tmp_path / "torn [1].ttl").write_text(GOOD_PAPER[:3000], encoding="utf-8")
    assert check(paths="torn [1].ttl", fail_on="unreadable").returncode == 2
    process = check(paths="a*.ttl\npapers/*", fail_on="never", profile="final")
    assert (process.returncode, process.stdout.count("a bad one.ttl") > 0) == (0, True)
    # The outputs of the five runs.
    codes = (tmp_path / "output").read_text(encoding="utf-8").split()
    assert codes == ["code=0", "code=1", "code=1", "code=2", "code=1"]


@pytest.mark.parametrize("run_step", [THIS_CHECKER], indirect=True)  # the script is the same for both
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
        {"sarif": "good.ttl/report.sarif"},  # in a file instead of a folder
        {"sarif": "good.ttl"},  # would overwrite the paper
    ],
    ids=str,
)
def test_the_action_fails_for_invalid_inputs(
    run_step: ScriptRunner, tmp_path: Path, inputs: dict[str, str]
) -> None:
    (tmp_path / "good.ttl").write_text(GOOD_PAPER, encoding="utf-8")
    process = run_step("Check the papers", tmp_path, **{"paths": "good.ttl", "fail_on": "never"} | inputs)
    assert process.returncode > 0
    assert (process.stdout + process.stderr).strip()
    assert not (tmp_path / "hacked").exists()


def test_the_inputs_of_the_action_list_the_choices_of_the_command_line() -> None:
    for name, choices in (("profile", PROFILE_CHOICES), ("lang", LANGUAGE_CHOICES)):
        assert set(choices) <= set(re.findall(r"\w+", ACTION["inputs"][name]["description"]))
