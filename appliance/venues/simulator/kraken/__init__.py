"""The paper venue as a Kraken server: WebSocket v2 and REST on one port, for any client of that venue."""
