"""The read-only web page: a pure request parser, a fixed table of routes and a small shell over asyncio streams."""
