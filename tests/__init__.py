"""Tests, in folders that mirror the rooms of `xlt_bench`; what several of them use lies in `tests.support`."""
