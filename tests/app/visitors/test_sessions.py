"""Of a session only its State is kept."""

import gradio as gr
from gradio_client import Client

from virtus.app.visitors.sessions import LeanBlocks


def test_what_a_visitor_typed_and_saw_is_not_kept():
    with LeanBlocks() as app:
        typed, shown, calls = gr.Textbox(), gr.Textbox(), gr.State(0)
        typed.submit(lambda text, count: (text * 2, count + 1), [typed, calls], [shown, calls], api_name="double")
    app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        client = Client(app.local_url, verbose=False)
        assert [client.predict("secret", api_name="/double") for _ in range(2)] == ["secretsecret"] * 2
        (session,) = [one for one in app.app.state_holder.session_data.values() if one.state_data]
    finally:
        app.close()
    assert session.state_data == {calls._id: 2}
    assert session.config_values == {}
    assert "secret" not in str([vars(one) for one in session.blocks_config.blocks.values()])
