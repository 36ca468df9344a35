"""The settings that live trading needs, as an owner writes them: whole, and in parts to leave one out."""

ACCOUNT = '[orders]\naccount = "shared"'
CONSENT = 'live_consent = "bot4-edge trades real money and may lose all of it"'
KRAKEN = """[venue]
market_url = "wss://ws.kraken.com/v2"
orders_url = "wss://ws-auth.kraken.com/v2"
rest_url = "https://api.kraken.com\""""
LIVE = f'{ACCOUNT}\n{KRAKEN}\n[trading]\nmode = "live"\n{CONSENT}'
