"""What developers and ./start run: the embedded stack, the benchmarks, the fault suite."""
