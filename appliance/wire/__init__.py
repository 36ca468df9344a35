"""Pure codecs, bytes to messages and back; nothing here reads a socket or a clock."""
