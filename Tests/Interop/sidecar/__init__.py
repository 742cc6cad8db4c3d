"""A stand-in for a Dapr sidecar: what daprd 1.18 answers, with the faults that tests ask for.

The wire is that of the official `dapr` package; the behaviour follows Dapr's sources, the unpleasant
parts above all. It is not Dapr.
"""
