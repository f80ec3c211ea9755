"""The simulated organizations: `small`, `test` and `demo`, each a list of what exists where."""
