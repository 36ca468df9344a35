"""Arrays in, arrays out: compiled with numba, each with a plain twin in the tests."""
