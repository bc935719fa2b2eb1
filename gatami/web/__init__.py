"""The doors: every Flask route, one file per audience."""
