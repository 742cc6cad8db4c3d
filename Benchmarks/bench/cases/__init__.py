"""What can be measured: one module each, with `run(options)` that returns its cases."""
