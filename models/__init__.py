"""The shipped models, and how they were made."""
