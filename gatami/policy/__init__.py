"""Decisions that could be checked with pencil and paper: values in, values out.

Nothing here knows Flask, SQL, a clock or the network; whatever a decision needs is handed in.
"""
