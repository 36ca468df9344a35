"""Orders, positions, decisions, reconciliation and the gate: pure, driven by the engine."""
