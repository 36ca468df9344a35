"""Publishing to an MQTT broker: a durable outbox between the trader and whoever listens, and nothing the other way."""
