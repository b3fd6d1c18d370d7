"""What the simulation engines for Amaranth and Torii share; see `rtlwasm.amaranth` and `rtlwasm.torii`."""
