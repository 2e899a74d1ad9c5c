// Gradio's page reads the answers to its events from one stream, which the server ends when it owes none. An event that
// was asked for just then, and known to the page before that end was, was answered on a stream that nobody read any
// more, and seemed to take for ever. So the page learns of an end when it awaits nothing; else the stream goes on.
(() => {
  const ask = window.fetch.bind(window);
  const [owed, early, asking] = [new Set(), new Set(), new Set()]; // events; of some the answer is here before their name
  const waiting = []; // functions, for what `asking` has to tell
  const kind = /^data: \{"msg":"(\w+)"(?:,"event_id":"(\w+)")?/;

  window.fetch = (...asked) => {
    const { pathname } = new URL(asked[0].url ?? asked[0], location);
    if (pathname.endsWith("/queue/join")) return join(asked);
    return pathname.endsWith("/queue/data") ? listen(asked) : ask(...asked);
  };

  function join(asked) {
    const answer = ask(...asked);
    const named = answer.then((response) => response.clone().json()).then(owe, () => {});
    asking.add(named);
    named.finally(() => {
      asking.delete(named);
      for (const look of waiting.splice(0)) look();
    });
    return answer;
  }

  // Until an answer is owed, or no question is on its way any more: one may be held up for long.
  function known() {
    return new Promise((resolve) => {
      const look = () => (owed.size || !asking.size ? resolve() : waiting.push(look));
      look();
    });
  }

  function owe({ event_id }) {
    if (event_id && !early.delete(event_id)) owed.add(event_id);
  }

  async function listen(asked) {
    const first = await ask(...asked);
    if (!first.ok) return first;
    const [said, encoder] = [messages(first, asked), new TextEncoder()];
    const body = new ReadableStream({
      async pull(to) {
        const { done, value } = await said.next();
        if (done) to.close();
        else to.enqueue(encoder.encode(value));
      },
    });
    return new Response(body, first);
  }

  async function* messages(response, asked) {
    for (let ended = ""; ; ended = "", response = await ask(...asked)) {
      for await (const message of read(response.body)) {
        const [, what, event] = message.match(kind) ?? [];
        if (what === "process_completed" && !owed.delete(event)) early.add(event);
        if (what === "close_stream") ended = message;
        else yield message;
      }
      await known();
      if (ended && owed.size) continue;
      if (ended) yield ended;
      return;
    }
  }

  // Each with the empty line behind it; within one there is no line break.
  async function* read(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (let parts = []; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      parts.push(value);
      if (!value.includes("\n")) continue;
      const whole = parts.join("").split("\n\n");
      parts = [whole.pop()]; // has begun
      yield* whole.map((message) => `${message}\n\n`);
    }
  }
})();
