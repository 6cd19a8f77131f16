"""A session of Spark, and what it knows of files."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark import SparkConf
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from ...problems import Problem
from ...settings import MIB
from ..files import file_too_large_problem
from . import (
    BULK_FILE_ENDINGS,
    SUCCESS_MARK,
    SUMMARY_FILE,
    BulkJob,
    no_paper_problem,
    output_exists_problem,
    serialize_bulk_summary,
)
from .lines import BulkResult

# What holds unless the settings of Spark say otherwise. Files are small: some hundreds of them make one part.
SPARK_DEFAULTS = {
    "spark.app.name": "wgig bulk",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.sql.files.openCostInBytes": str(MIB // 4),
    "spark.sql.files.maxPartitionBytes": str(128 * MIB),
}
MAX_PART_FAILURES = 4  # of a part until the job ends, as on a cluster
PARTS_PER_PROCESS = 4  # a process, of what is counted on this machine
PAPER_FILE_GLOB = "".join(
    ("*.{", ",".join("".join(f"[{a}{a.upper()}]" for a in one) for one in BULK_FILE_ENDINGS), "}")
)


class BulkSparkSession:
    """A session of Spark for one job, with the files that the job is about."""

    def __init__(self, spark: SparkSession, job: BulkJob) -> None:
        """Look which files there are. Raises Problem 400 where there are none, or the folder to write is."""
        self.spark, self.job, self.sc = spark, job, spark.sparkContext
        if self.output_path().getFileSystem(self.hadoop_settings).exists(self.output_path()):
            raise output_exists_problem(job.out)
        reader = spark.read.format("binaryFile").options(
            recursiveFileLookup=True,
            pathGlobFilter=PAPER_FILE_GLOB,
            ignoreCorruptFiles=True,
            ignoreMissingFiles=True,
        )
        try:
            self.file_table = reader.load(list(job.paths))
        except AnalysisException as error:
            raise no_paper_problem(job.paths) from error
        self.addresses: Any = self.file_table._jdf.inputFiles()  # stays where it is: there may be millions
        if not len(self.addresses):
            raise no_paper_problem(job.paths)

    @property
    def files(self) -> DataFrame:
        """The files that are read: those that are not too large, with their bytes."""
        return self.file_table.where(self.file_table["length"] <= self.job.task.max_bytes)

    @property
    def hadoop_settings(self) -> Any:
        """The settings of the file systems."""
        return self.sc._jsc.hadoopConfiguration()

    def output_path(self, *names: str) -> Any:
        """A path in the folder to write, as the file systems have it."""
        java: Any = self.sc._jvm
        return java.org.apache.hadoop.fs.Path("/".join((self.job.out, *names)))

    def find_fault(self, address: str) -> Problem | None:
        """Why Spark did not give a file; None where it has no content, as Spark leaves out such ones."""
        java: Any = self.sc._jvm
        path = java.org.apache.hadoop.fs.Path(java.java.net.URI(address))
        try:
            size = path.getFileSystem(self.hadoop_settings).getFileStatus(path).getLen()
        except Py4JJavaError:
            size = 1
        if size > self.job.task.max_bytes:
            return file_too_large_problem(self.job.task.max_bytes)
        return Problem(400, "The file system could not read it. Check it alone.") if size else None

    def write_file(self, name: str, data: bytes) -> None:
        """Write a file into the folder."""
        stream = self.output_path(name).getFileSystem(self.hadoop_settings).create(self.output_path(name))
        try:
            stream.write(data)
        finally:
            stream.close()

    def finish(self, done: BulkResult) -> BulkResult:
        """Write what the job came to, and the mark that all is written."""
        self.write_file(SUMMARY_FILE, serialize_bulk_summary(done.summary))
        self.write_file(SUCCESS_MARK, b"")
        return done


@contextmanager
def open_bulk_session(job: BulkJob) -> Iterator[BulkSparkSession]:
    """A session for a job. Raises Problem 400 where there is no Java."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise Problem(400, "Spark needs Java 17 or newer. Install it, or take --on processes.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = SparkConf()
    if not settings.contains("spark.master"):
        settings.setMaster(f"local[{job.jobs},{MAX_PART_FAILURES}]")
        settings.setIfMissing("spark.sql.shuffle.partitions", str(PARTS_PER_PROCESS * job.jobs))
    settings.setIfMissing("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    for name, value in SPARK_DEFAULTS.items():
        settings.setIfMissing(name, value)
    spark = SparkSession.builder.config(conf=settings).getOrCreate()
    try:
        yield BulkSparkSession(spark, job)
    finally:
        spark.stop()


def plain_spark_path(path: str) -> str:
    """A path of Spark as people write it: that of a file of this machine without its scheme."""
    return "/" + path.removeprefix("file:").lstrip("/") if path.startswith("file:") else path


def decode_spark_address(address: str) -> str:
    """The same from an address, in which characters are escaped."""
    return plain_spark_path(unquote(address))
