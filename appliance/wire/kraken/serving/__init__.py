"""The other side of the Kraken protocol, as pure codecs: what a server reads of requests and writes of answers."""
