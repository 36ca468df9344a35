"""`python -m tests.bench.soak`: the whole appliance for a long while, on connections that keep breaking."""
