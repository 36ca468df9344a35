"""The built-in venue: a synthetic market with a real ledger."""
