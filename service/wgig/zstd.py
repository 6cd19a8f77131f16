"""Zstandard (RFC 8878): the module of Python 3.14, and for older versions its backport."""

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdError,
        ZstdFile,
        compress,
        decompress,
    )
else:
    from backports.zstd import (
        CompressionParameter,
        ZstdCompressor,
        ZstdError,
        ZstdFile,
        compress,
        decompress,
    )

WITH_CHECKSUM: dict[int, int] = {CompressionParameter.checksum_flag: 1}  # options for data on disk

__all__ = ["WITH_CHECKSUM", "ZstdCompressor", "ZstdError", "ZstdFile", "compress", "decompress"]
