"""What the server does for a visitor, whoever asks: limits, uploads, judging, what is kept between calls."""
