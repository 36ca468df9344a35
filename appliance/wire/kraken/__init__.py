"""The Kraken WebSocket v2 protocol as pure codecs: bytes to messages and back."""
