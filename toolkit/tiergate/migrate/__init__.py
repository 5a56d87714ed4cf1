"""Moving sessions from one store to another: plan, copy, verify, cut over, undo."""
