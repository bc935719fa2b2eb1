"""The program of `process.serve`; only the worker starts it."""

from __future__ import annotations

from .process import serve

if __name__ == "__main__":
    serve()
