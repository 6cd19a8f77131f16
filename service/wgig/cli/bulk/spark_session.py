"""A Spark session for a bulk job, with the list of its files."""

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
    BULK_FILE_SUFFIXES,
    SUCCESS_MARK,
    SUMMARY_FILE,
    BulkJob,
    no_paper_problem,
    output_exists_problem,
    serialize_bulk_summary,
)
from .lines import BulkResult

# Defaults, which Spark settings override. As files are small, a partition has some hundred of them.
SPARK_DEFAULTS = {
    "spark.app.name": "wgig bulk",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.sql.files.openCostInBytes": str(MIB // 4),
    "spark.sql.files.maxPartitionBytes": str(128 * MIB),
}
MAX_PARTITION_ATTEMPTS = 4  # attempts for a partition before the job fails, as on a cluster
PARTITIONS_PER_PROCESS = 4  # shuffle partitions on this machine
# The glob of files with these suffixes in lower or upper case.
PAPER_FILE_GLOB = "".join(
    (
        "*.{",
        ",".join(
            "".join(f"[{letter}{letter.upper()}]" for letter in suffix) for suffix in BULK_FILE_SUFFIXES
        ),
        "}",
    )
)


class BulkSparkSession:
    """A Spark session for one job, with its files."""

    def __init__(self, spark: SparkSession, job: BulkJob) -> None:
        """List the files. Raises Problem 400 if there are none, or if the output folder exists."""
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
        # The URLs of the files, percent-encoded: a Java array, as there may be millions.
        self.addresses: Any = self.file_table._jdf.inputFiles()
        if not len(self.addresses):
            raise no_paper_problem(job.paths)

    @property
    def files(self) -> DataFrame:
        """The files within the size limit, with their bytes."""
        return self.file_table.where(self.file_table["length"] <= self.job.task.max_bytes)

    @property
    def hadoop_settings(self) -> Any:
        """The Hadoop configuration of the file systems."""
        return self.sc._jsc.hadoopConfiguration()

    def output_path(self, *names: str) -> Any:
        """A Hadoop path in the output folder."""
        jvm: Any = self.sc._jvm
        return jvm.org.apache.hadoop.fs.Path("/".join((self.job.out, *names)))

    def find_read_problem(self, address: str) -> Problem | None:
        """The reason why Spark skipped a file; None for an empty file, which Spark always skips."""
        jvm: Any = self.sc._jvm
        path = jvm.org.apache.hadoop.fs.Path(jvm.java.net.URI(address))
        try:
            size = path.getFileSystem(self.hadoop_settings).getFileStatus(path).getLen()
        except Py4JJavaError:
            size = 1  # unknown, but not an empty file
        if size > self.job.task.max_bytes:
            return file_too_large_problem(self.job.task.max_bytes)
        return (
            Problem(400, "Spark could not read the file. Check it separately: wgig check FILE")
            if size
            else None
        )

    def write_file(self, name: str, data: bytes) -> None:
        """Write a file into the output folder."""
        stream = self.output_path(name).getFileSystem(self.hadoop_settings).create(self.output_path(name))
        try:
            stream.write(data)
        finally:
            stream.close()

    def finish(self, result: BulkResult) -> BulkResult:
        """Write the summary, and SUCCESS_MARK last."""
        self.write_file(SUMMARY_FILE, serialize_bulk_summary(result.summary))
        self.write_file(SUCCESS_MARK, b"")
        return result


@contextmanager
def open_bulk_session(job: BulkJob) -> Iterator[BulkSparkSession]:
    """Yield a Spark session for a job, and stop it at the end. Raises Problem 400 if Java is missing."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise Problem(400, "Spark needs Java 17 or newer. Install it, or use --on processes.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = SparkConf()
    if not settings.contains("spark.master"):
        settings.setMaster(f"local[{job.jobs},{MAX_PARTITION_ATTEMPTS}]")
        settings.setIfMissing("spark.sql.shuffle.partitions", str(PARTITIONS_PER_PROCESS * job.jobs))
    settings.setIfMissing("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    for name, value in SPARK_DEFAULTS.items():
        settings.setIfMissing(name, value)
    spark = SparkSession.builder.config(conf=settings).getOrCreate()
    try:
        yield BulkSparkSession(spark, job)
    finally:
        spark.stop()


def plain_spark_path(path: str) -> str:
    """A path from Spark without the scheme `file:`."""
    return "/" + path.removeprefix("file:").lstrip("/") if path.startswith("file:") else path


def decode_spark_address(address: str) -> str:
    """The path for a Spark address, which is percent-encoded."""
    return plain_spark_path(unquote(address))
