"""Reads, checks and converts DynamoDB table exports to Arrow and Parquet, and back."""

from dynarrow._dynarrow import __version__

__all__ = ["__version__"]
