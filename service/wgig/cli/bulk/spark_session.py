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
from ..files import too_large
from . import ENDINGS, MARK, SUMMARY, Job, in_json, nothing, taken
from .lines import Done

MIB = 1024 * 1024
# What holds unless the settings of Spark say otherwise. Files are small: some hundreds of them make one part.
DEFAULTS = {
    "spark.app.name": "wgig bulk",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.sql.files.openCostInBytes": str(MIB // 4),
    "spark.sql.files.maxPartitionBytes": str(128 * MIB),
}
FAILURES = 4  # of a part until the job ends, as on a cluster
PARTS = 4  # a process, of what is counted on this machine
GLOB = "".join(("*.{", ",".join("".join(f"[{a}{a.upper()}]" for a in one) for one in ENDINGS), "}"))


class Session:
    """A session of Spark for one job, with the files that the job is about."""

    def __init__(self, spark: SparkSession, job: Job) -> None:
        """Look which files there are. Raises Problem 400 where there are none, or the folder to write is."""
        self.spark, self.job, self.sc = spark, job, spark.sparkContext
        if self.path().getFileSystem(self.settings).exists(self.path()):
            raise taken(job.out)
        reader = spark.read.format("binaryFile").options(
            recursiveFileLookup=True, pathGlobFilter=GLOB, ignoreCorruptFiles=True, ignoreMissingFiles=True
        )
        try:
            self.listed = reader.load(list(job.paths))
        except AnalysisException as error:
            raise nothing(job.paths) from error
        self.names: Any = self.listed._jdf.inputFiles()  # stays where it is: there may be millions
        if not len(self.names):
            raise nothing(job.paths)

    @property
    def files(self) -> DataFrame:
        """The files that are read: those that are not too large, with their bytes."""
        return self.listed.where(self.listed["length"] <= self.job.task.most_bytes)

    @property
    def settings(self) -> Any:
        """The settings of the file systems."""
        return self.sc._jsc.hadoopConfiguration()

    def path(self, *names: str) -> Any:
        """A path in the folder to write, as the file systems have it."""
        java: Any = self.sc._jvm
        return java.org.apache.hadoop.fs.Path("/".join((self.job.out, *names)))

    def fault(self, address: str) -> Problem | None:
        """Why Spark did not give a file; None where it has no content, as Spark leaves out such ones."""
        java: Any = self.sc._jvm
        path = java.org.apache.hadoop.fs.Path(java.java.net.URI(address))
        try:
            size = path.getFileSystem(self.settings).getFileStatus(path).getLen()
        except Py4JJavaError:
            size = 1
        if size > self.job.task.most_bytes:
            return too_large(self.job.task.most_bytes)
        return Problem(400, "The file system could not read it. Check it alone.") if size else None

    def write(self, name: str, data: bytes) -> None:
        """Write a file into the folder."""
        stream = self.path(name).getFileSystem(self.settings).create(self.path(name))
        try:
            stream.write(data)
        finally:
            stream.close()

    def end(self, done: Done) -> Done:
        """Write what the job came to, and the mark that all is written."""
        self.write(SUMMARY, in_json(done.summary))
        self.write(MARK, b"")
        return done


@contextmanager
def session(job: Job) -> Iterator[Session]:
    """A session for a job. Raises Problem 400 where there is no Java."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise Problem(400, "Spark needs Java 17 or newer. Install it, or take --on processes.")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = SparkConf()
    if not settings.contains("spark.master"):
        settings.setMaster(f"local[{job.jobs},{FAILURES}]")
        settings.setIfMissing("spark.sql.shuffle.partitions", str(PARTS * job.jobs))
    settings.setIfMissing("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    for name, value in DEFAULTS.items():
        settings.setIfMissing(name, value)
    spark = SparkSession.builder.config(conf=settings).getOrCreate()
    try:
        yield Session(spark, job)
    finally:
        spark.stop()


def plain(path: str) -> str:
    """A path of Spark as people write it: that of a file of this machine without its scheme."""
    return "/" + path.removeprefix("file:").lstrip("/") if path.startswith("file:") else path


def named(address: str) -> str:
    """The same from an address, in which characters are escaped."""
    return plain(unquote(address))
