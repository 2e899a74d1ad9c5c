"""What stands before the app: pure ASGI middleware. Gradio's own answers stay as they are otherwise."""
