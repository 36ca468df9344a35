"""The reporter process: the outside view. It holds no venue secret and nothing it does can reach the trader."""
