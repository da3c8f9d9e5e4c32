"""Examine an installation, however broken it is, and say what to type.

Nothing here imports more than the standard library: what is examined is imported in a
child process. ``tools/doctor.py`` loads this package without importing ``mmkd`` itself,
which needs a working installation.
"""
