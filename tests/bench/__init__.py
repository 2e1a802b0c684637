"""Benchmarks: ``make bench``. Each stands beside a floor that is measured in the same run, and fails on wrong results."""
