// Where a patch looks, and who looks at it: drawn in the page from attention that came once.
const PLAY_MS = 420; // a block
const TOLD = 3; // patches by name
const ATTENTION = "This is attention: where it fetched information from. It does not tell what decided.";
const [TIMES, ENOUGH] = [6, 0.1]; // a patch that holds so many times what each would hold evenly; together so much of it all
// Registers, high-norm tokens: Darcet et al. 2024.
const NOTES = "Models of this kind often keep notes on the whole picture in squares where there is little to see: no clue about what lies there.";
const CLEARLY = 1.25; // times as much as its size alone would give a part: that is told of

// Few patches that hold much, where their parts as a whole do not.
function squaresInWords(patches, names, told) {
  const [total, even] = [sumOf(patches) || 1, 1 / patches.length];
  const shares = [...patches].map((value) => value / total);
  const squares = greatest(shares, shares.length).filter((at) => shares[at] >= TIMES * even && !told.includes(names[at]));
  const held = sumOf(squares.map((at) => shares[at]));
  if (held < ENOUGH) return "";
  const where = listOf([...new Set(squares.map((at) => names[at]))]);
  const notes = names[squares[0]] === BACKGROUND ? ` ${NOTES}` : "";
  const [count, takes] = squares.length === 1 ? ["A single square", "takes"] : [`${squares.length} squares`, "take"];
  return `${count} of ${where} ${takes} ${percent(held)} of its attention; evenly it would be ${percent(squares.length * even)}.${notes}`;
}

// The squares that shine out, where they are no part of the face.
function aroundInWords(patches, names) {
  const brightest = greatest(patches, TOLD).map((at) => names[at] === BACKGROUND);
  if (!brightest[0]) return "";
  return `Its brightest ${brightest.includes(false) ? "square lies" : "squares lie"} in the background (hair, clothes, wall).`;
}

function lookPart(explorer) {
  const root = explorer.find(".look");
  const find = (selector) => root.querySelector(selector);
  const state = { direction: "from", span: "block", block: 0, heads: "mean", discard: 0, held: null };
  let [pointed, playing, before, values, isTold] = [null, 0, "block", null, false];
  const inputs = Object.fromEntries(["block", "head", "discard"].map((name) => [name, find(`.slide.${name} input`)]));
  const [play, letGo, regions] = [find(".play"), find(".let-go"), find(".regions")];
  const tell = teller(find(".said"), find(".live"));
  const canvas = new PatchCanvas(find("canvas"), {
    onPoint: (patch) => point(patch, true),
    onPress: (patch, isFirst) => hold(isFirst && state.held === patch ? null : patch, true), // dragged, it goes along
    onKey: (event) => {
      const step = { PageUp: -1, PageDown: 1 }[event.key];
      if (event.key === "Escape") hold(null, true);
      if (!step) return;
      event.preventDefault();
      change({ block: Math.min(Math.max(state.block + step, 0), explorer.attention.blocks - 1) });
    },
  });

  function show() {
    const { attention, picture, face } = explorer;
    stop();
    [inputs.block.max, inputs.head.max] = [attention.blocks, attention.heads];
    Object.assign(state, { block: attention.blocks - 1, heads: "mean", held: null });
    isTold = false;
    explorer.tellShort("look", "It is on its way.");
    find("canvas").setAttribute("aria-description", `${face.grid[0]} rows of ${face.grid[1]} patches`);
    [find(".reads").textContent, find(".steps").textContent] = [face.reads, attention.blocks];
    find(".token").hidden = !face.reads.includes("class token");
    canvas.show(picture, face.grid);
    draw();
  }

  // The token that looks: the one pointed at, else the one held, else what the verdict is read from.
  function source() {
    return pointed ?? state.held;
  }

  function point(patch, isOwn) {
    if (patch === pointed) return;
    pointed = patch;
    draw();
    if (isOwn) explorer.link({ pointed: explorer.placeOf(patch) });
  }

  function hold(patch, isOwn) {
    state.held = patch;
    draw();
    if (isOwn) explorer.link({ held: explorer.placeOf(patch) });
  }

  function change(settings, isOwn = true) {
    Object.assign(state, settings);
    if (settings.span === "rollout" || settings.block !== undefined) explorer.need(needed());
    if (settings.block !== undefined) explorer.tellBlock(settings.block);
    draw();
    if (isOwn) explorer.link({ settings });
  }

  // To one that begins: both show the same.
  function join() {
    const { held, block, ...others } = state;
    const isLast = block === explorer.attention.blocks - 1; // so is the other's then, however many it has
    explorer.link({ settings: isLast ? others : { ...others, block }, held: explorer.placeOf(held) });
  }

  function needed() {
    return state.span === "block" ? [state.block] : [...Array(state.block + 1).keys()];
  }

  function draw() {
    const { attention, face } = explorer;
    if (!attention) return;
    fit();
    if (!isTold) tellInShort();
    if (!needed().every((block) => attention.has(block))) {
      values = null;
      canvas.draw(null, marks());
      return tell("This block is on its way.");
    }
    const tokens = attention.map(attention.source(source(), state.heads), state);
    values = attention.patches(tokens);
    canvas.draw(heatColours(values), marks());
    describe(tokens);
    explorer.tellSource(source());
    canvas.canvas.dataset.drawn = `${state.span} ${state.block} ${state.heads} ${state.direction} ${source() ?? "verdict"} ${face.key}`;
  }

  function marks() {
    const marked = [[state.held, "#ffffff"], [pointed, "#7df9ff"]];
    return marked.filter(([patch]) => patch !== null);
  }

  function fit() {
    const { attention } = explorer;
    for (const name of ["direction", "span"]) find(`.choice.${name} [value=${state[name]}]`).checked = true;
    const isOne = typeof state.heads === "number";
    [inputs.block.value, inputs.head.value] = [state.block + 1, isOne ? state.heads + 1 : 0];
    inputs.discard.value = state.discard;
    if (!isOne) find(`.choice.fusion [value=${state.heads}]`).checked = true;
    find(".choice.fusion").disabled = isOne;
    find(".slide.discard").hidden = state.span === "block";
    say(inputs.block, `${state.block + 1} of ${attention.blocks}`);
    say(inputs.head, isOne ? `${state.heads + 1} of ${attention.heads}` : "all");
    say(inputs.discard, percent(state.discard));
    letGo.disabled = state.held === null;
  }

  function say(input, words) {
    input.closest("label").querySelector("output").textContent = words;
    input.setAttribute("aria-valuetext", words);
  }

  function describe(tokens) {
    const { face, attention } = explorer;
    const patch = source();
    const total = sumOf(tokens);
    const isFrom = state.direction === "from";
    const where = state.span === "block" ? `block ${state.block + 1}` : `blocks 1 to ${state.block + 1} together`;
    const heads = typeof state.heads === "number" ? `, head ${state.heads + 1},` : "";
    const plural = state.span === "block" ? "s" : "";
    const start = patch === null ? "For the verdict," : `From the patch at ${explorer.nameOf(patch)}`;
    const end = patch === null ? "What the verdict is read from" : `The patch at ${explorer.nameOf(patch)}`;
    const most = greatest(values, TOLD).filter((at) => values[at] > 0);
    const named = most.map((at) => explorer.nameOf(at) + (isFrom ? `: ${percent(values[at] / total)}` : "")).join("; ");
    find(".size").textContent = isFrom ? "Looked at more (right of the mark) or less than its size would explain:" : "Looking there more (right of the mark) or less than its size would explain:";
    find(".aside").textContent = isFrom && attention.numPrefix ? `The other ${percent(1 - sumOf(values) / total)} goes to ${face.aside}.` : "";
    tell(isFrom ? `${start} ${where}${heads} look${plural} most at ${named}.` : `${end} is looked at in ${where}${heads} most from ${named}.`);
    showRegions(againstSize(values, face.patches));
  }

  // Of the verdict, in the last block; whatever is looked at just now.
  function tellInShort() {
    const { attention, face } = explorer;
    const last = { block: attention.blocks - 1, heads: "mean", span: "block", direction: "from" };
    if (!attention.has(last.block)) return;
    isTold = true;
    const patches = attention.patches(attention.map(attention.source(null, "mean"), last));
    const parts = againstSize(patches, face.patches).filter(({ times }) => times >= CLEARLY).slice(0, TOLD);
    const named = parts.map(({ name, times }) => `${name} (${times.toFixed(1)}\u00a0×)`);
    const squares = squaresInWords(patches, face.patches, parts.map(({ name }) => name));
    const where = named.length ? `More than their size would explain: ${listOf(named)}.` : squares ? "At no part in particular." : "Nowhere in particular: about evenly.";
    explorer.tellShort("look", [where, squares || aroundInWords(patches, face.patches), ATTENTION].filter(Boolean).join(" "));
  }

  function showRegions(parts) {
    const widest = Math.max(2, parts[0].times);
    const rows = barRows(
      parts.map(({ name, share, times }) => ({
        name,
        share: times / widest,
        mark: 1 / widest,
        words: `${times.toFixed(1)}\u00a0×`,
        title: `${percent(share)} of it all`,
      })),
    );
    regions.replaceChildren(...rows);
  }

  // Rollout as it grows, block after block, once; then it is as it was.
  function start() {
    stop();
    before = state.span;
    explorer.need([...explorer.attention.codes.keys()]);
    change({ span: "rollout", block: 0 });
    if (!isSeen()) explorer.goTo(".look .easel"); // on a phone the button may stand where the face does not
    play.setAttribute("aria-pressed", "true");
    play.textContent = "Pause";
    playing = setInterval(() => {
      const next = state.block + 1;
      if (next < explorer.attention.blocks) return explorer.attention.has(next) && change({ block: next });
      stop();
      change({ span: before });
    }, PLAY_MS);
  }

  function isSeen() {
    const { top, bottom } = canvas.canvas.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  }

  function stop() {
    clearInterval(playing);
    playing = 0;
    play.setAttribute("aria-pressed", "false");
    play.textContent = "Play all blocks";
  }

  for (const name of ["direction", "span"]) {
    find(`.choice.${name}`).addEventListener("change", (event) => change({ [name]: event.target.value }));
  }
  find(".choice.fusion").addEventListener("change", (event) => change({ heads: event.target.value }));
  inputs.block.addEventListener("input", () => {
    stop();
    change({ block: inputs.block.valueAsNumber - 1 });
  });
  inputs.head.addEventListener("input", () => {
    const fusion = find(".choice.fusion :checked").value;
    change({ heads: inputs.head.valueAsNumber ? inputs.head.valueAsNumber - 1 : fusion });
  });
  inputs.discard.addEventListener("input", () => change({ discard: inputs.discard.valueAsNumber }));
  play.addEventListener("click", () => (playing ? stop() : start()));
  letGo.addEventListener("click", () => hold(null, true));

  return {
    show,
    draw,
    stop,
    chooseBlock(block) {
      stop();
      change({ block });
    },
    choose(block, head) {
      find(".more").open = true; // there stands which head it is
      change({ block, heads: head, span: "block" });
    },
    // What another pane beside this one does.
    follow({ pointed: place, held, settings, joined }) {
      if (joined) return join();
      if (place !== undefined) point(explorer.patchAt(place), false);
      if (held !== undefined) hold(explorer.patchAt(held), false);
      if (!settings) return;
      const { block, heads, ...others } = settings;
      const fitted = { ...others };
      if (block !== undefined) fitted.block = Math.min(block, explorer.attention.blocks - 1);
      if (heads !== undefined) fitted.heads = typeof heads === "number" ? Math.min(heads, explorer.attention.heads - 1) : heads;
      change(fitted, false);
    },
    view: () => ({ canvas: canvas.drawnAt(SAVED.width), state }),
    state,
  };
}
