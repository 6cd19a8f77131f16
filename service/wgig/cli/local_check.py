"""`wgig.check`: the report on the papers in a file, from a check in this process."""

from os import PathLike
from pathlib import Path

from wgig_client.errors import Report, ServiceError

from ..problems import Problem
from ..settings import Settings
from ..shacl.findings import UncheckedFile
from ..shacl.reports.json import build_report_object
from ..shacl.rules import MESSAGE_LANGUAGES, validate_profile_name
from .check_workers import CheckTask, check_file_batch
from .files import CandidateFile, check_data_size


def check(path: str | PathLike[str], profile: str = "complete", language: str = "en") -> Report:
    """The report on the papers in a file, without a service: that of `GraphClient.check`.

    The suffix of the file is its format. Raises OSError if the file cannot be read, ServiceError for a file
    that is not a paper, a syntax error, and an unknown profile or language.
    """
    data = Path(path).read_bytes()
    try:
        validate_profile_name(profile)
        if language not in MESSAGE_LANGUAGES:
            raise Problem(400, f"There are no messages in {language!r}. Use {', '.join(MESSAGE_LANGUAGES)}.")
        check_data_size(data, Settings.paper_bytes)
        task = CheckTask(profile, Settings.shacl, Settings.paper_bytes, Settings.paper_triples)
        (outcome,) = check_file_batch([CandidateFile(Path(path).name, data=data)], task)
        assert outcome  # only a file that was found in a folder is skipped
        if isinstance(outcome, UncheckedFile):
            raise outcome.problem
    except Problem as problem:
        raise ServiceError(problem.status, problem.title, problem.detail, problem.members) from problem
    return Report(build_report_object([outcome], language))
