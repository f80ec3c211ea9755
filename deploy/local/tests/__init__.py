"""Tests of the scripts of this folder; `just test` runs them with moto's environment."""
