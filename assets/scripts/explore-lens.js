// What the verdict's own last step makes of the tokens after each block: a line, and a small map for each.
const CHART = { height: 150, edge: 12, foot: 18, label: 18 }; // px; a label is so wide at most

function outcomeBy(p, { real_below: low, fake_above: high }) {
  return p >= high ? "fake" : p < low ? "real" : "inconclusive";
}

// The first block after which it said what it says at the end, and said so all the way.
function decidedInWords(face) {
  const { decided } = face;
  const outcomes = decided.map((p) => outcomeBy(p, face));
  const last = outcomes.at(-1);
  const from = outcomes.findLastIndex((one) => one !== last) + 1;
  const numBlocks = decided.length - 1;
  const end = `It ends at p = ${inDigits(decided.at(-1))}.`;
  if (face.real_below <= 0 && face.fake_above > 1) return `It had nothing to decide: of this face no p is a verdict. ${largestStep(decided)}${end}`;
  const says = (one) => (one === "inconclusive" ? "was undecided" : `said “${one}”`);
  if (from === 0) return `It ${says(last)} from the start, and stayed so. ${last === "inconclusive" ? largestStep(decided) : ""}${end}`;
  if (from === numBlocks) return `It never settled: after block ${numBlocks - 1} of ${numBlocks} it ${says(outcomes.at(-2))}, after the last it ${says(last)}. ${end}`;
  const when = from > (2 * numBlocks) / 3 ? "Late" : from > numBlocks / 3 ? "Half-way" : "Early";
  return `${when}: from block ${from} of ${numBlocks} on it ${says(last)}, and stayed so. ${end}`;
}

// Between two thresholds that lie far apart p may still go far.
function largestStep(decided) {
  const steps = decided.slice(1).map((p, at) => Math.abs(p - decided[at]));
  const [at] = greatest(steps, 1);
  return steps[at] < MUCH ? "" : `But its p went from ${inDigits(decided[at])} to ${inDigits(decided[at + 1])} in block ${at + 1} of ${steps.length}. `;
}

function lensPart(explorer) {
  const root = explorer.find(".lens");
  const find = (selector) => root.querySelector(selector);
  const [chart, strip, blockSaid, patchSaid] = [find(".chart"), find(".strip"), find(".block-said"), find(".patch-said")];
  let [chosen, pointed, tokens] = [0, null, null];
  const canvas = new PatchCanvas(find("canvas"), { onPoint: point, onPress: point });

  const outcome = (p) => outcomeBy(p, explorer.face);

  function show() {
    const { face } = explorer;
    [chosen, tokens] = [face.decided.length - 1, floatsOf(face.lens)];
    canvas.show(explorer.picture, face.grid);
    drawChart();
    strip.replaceChildren(...face.decided.map((_, block) => step(block)));
    const words = decidedInWords(face);
    find(".live").textContent = words;
    explorer.tellShort("lens", words);
    mark(chosen);
  }

  function drawChart() {
    const { face } = explorer;
    const { height, edge, foot, label } = CHART;
    const width = Math.max(chart.clientWidth, 100);
    const [last, high] = [face.decided.length - 1, height - 2 * edge];
    const x = (block) => edge + (block / last) * (width - 2 * edge);
    const y = (p) => edge + (1 - p) * high;
    const line = face.decided.map((p, block) => `${x(block).toFixed(1)},${y(p).toFixed(1)}`).join(" ");
    const [low, top] = [y(face.real_below), y(face.fake_above)];
    const every = Math.ceil((label * last) / width); // where there are more blocks than room
    const svg = shape("svg", { viewBox: `0 0 ${width} ${height + foot}`, "aria-hidden": "true" }); // of a slider nothing inside is read out: what it is at says it
    svg.append(
      shape("rect", { class: "zone fake", x: 0, y: 0, width, height: top }),
      shape("rect", { class: "zone real", x: 0, y: low, width, height: height - low }),
      ...[top, low].map((at) => shape("line", { class: "threshold", x1: 0, x2: width, y1: at, y2: at })),
      shape("line", { class: "now", y1: 0, y2: height }),
      shape("polyline", { points: line }),
      ...face.decided.map((_, block) => numberOf(block, x(block))).filter((_, block) => block % every === 0),
      ...face.decided.map((p, block) => shape("circle", { class: `point ${outcome(p)}`, "data-block": block, cx: x(block), cy: y(p), r: 5 })),
    );
    chart.replaceChildren(svg);
    chart.setAttribute("aria-valuemax", last);
  }

  function numberOf(block, x) {
    const text = shape("text", { class: "number", x, y: CHART.height + CHART.foot - 4 });
    text.textContent = block || "start";
    return text;
  }

  function shape(tag, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function step(block) {
    const { face } = explorer;
    const button = document.createElement("button");
    button.type = "button";
    button.append(pixelsOf(verdictColours(valuesAt(block)), face.grid), document.createElement("span"));
    button.lastChild.textContent = block ? String(block) : "start";
    button.setAttribute("aria-label", stepInWords(block));
    button.addEventListener("click", () => choose(block));
    return button;
  }

  function stepInWords(block) {
    const p = explorer.face.decided[block];
    return `${block ? `After block ${block}` : "Before the first block"}: p ${inDigits(p)}, ${outcome(p)}`;
  }

  function valuesAt(block) {
    const { face } = explorer;
    const numTokens = tokens.length / face.decided.length;
    return tokens.subarray((block + 1) * numTokens - face.patches.length, (block + 1) * numTokens);
  }

  // By the visitor: what is looked at above is of the same block. Before the first there is none.
  function choose(block) {
    mark(block);
    if (block) explorer.chooseBlock(block - 1);
  }

  function mark(block) {
    if (!chart.querySelector(`[data-block="${block}"]`)) return; // another face is being shown
    chosen = block;
    [...strip.children].forEach((button, at) => button.setAttribute("aria-pressed", String(at === block)));
    requestAnimationFrame(() => bringIntoView(strip.children[block]));
    chart.setAttribute("aria-valuenow", block);
    chart.setAttribute("aria-valuetext", stepInWords(block));
    const now = chart.querySelector(".now");
    const place = chart.querySelector(`[data-block="${block}"]`).getAttribute("cx");
    for (const end of ["x1", "x2"]) now.setAttribute(end, place);
    for (const dot of chart.querySelectorAll(".point")) dot.classList.toggle("chosen", dot.dataset.block === String(block));
    draw();
  }

  // Within the strip alone: the page stays where it is.
  function bringIntoView(button) {
    strip.scrollLeft = button.offsetLeft - strip.offsetLeft - (strip.clientWidth - button.offsetWidth) / 2;
  }

  function point(patch) {
    pointed = patch;
    draw();
  }

  function draw() {
    const { face } = explorer;
    if (!face) return;
    const values = valuesAt(chosen);
    canvas.draw(verdictColours(values), pointed === null ? [] : [[pointed, "#ffffff"]]);
    const when = chosen ? `After block ${chosen}` : "Before the first block";
    blockSaid.textContent = `${when} the verdict stands at p = ${inDigits(face.decided[chosen])}.`;
    patchSaid.textContent =
      pointed === null ? `${when}. Point at a patch, or tap it, for its p.` : `${when} the patch at ${explorer.nameOf(pointed)} says p = ${inDigits(values[pointed])}.`;
  }

  chart.addEventListener("click", (event) => {
    const box = chart.getBoundingClientRect();
    const last = explorer.face.decided.length - 1;
    choose(Math.min(Math.max(Math.round(((event.clientX - box.left) / box.width) * last), 0), last));
  });

  chart.addEventListener("keydown", (event) => {
    const last = explorer.face.decided.length - 1;
    const steps = { ArrowLeft: chosen - 1, ArrowDown: chosen - 1, ArrowRight: chosen + 1, ArrowUp: chosen + 1, Home: 0, End: last };
    if (!(event.key in steps)) return;
    event.preventDefault();
    choose(Math.min(Math.max(steps[event.key], 0), last));
  });

  find(".alone").addEventListener("toggle", () => explorer.face && mark(chosen)); // its strip has a width now
  new ResizeObserver(() => {
    if (!explorer.face) return;
    drawChart();
    mark(chosen);
  }).observe(chart);

  return {
    show,
    // What is looked at above is of this block now.
    follow: (block) => mark(block + 1),
  };
}
