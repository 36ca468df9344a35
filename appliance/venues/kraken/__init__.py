"""Trade on a venue that speaks Kraken's protocols: market data, orders and account, over real connections."""
