"""Benchmarks: ``make bench``. Each stands beside a floor of the same run, and fails on wrong results alone."""
