// The large map as a picture to keep, with what it shows in words under it. Blocks and heads count from 1, as on the page.
const SAVED = { width: 960, edge: 24, line: 34, bar: 14, paper: "#ffffff", ink: "#1a1a1a" }; // px

function saveView(explorer, { canvas, state }) {
  const link = document.createElement("a");
  link.download = viewName(explorer, state);
  captioned(canvas, viewWords(explorer, state)).toBlob((blob) => {
    link.href = URL.createObjectURL(blob);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
  }, "image/png");
}

function viewName({ attention, face }, { span, block, heads, direction, held }) {
  const blocks = `${span === "block" ? "block" : "blocks-1-to"}-${block + 1}-of-${attention.blocks}`;
  const head = typeof heads === "number" ? `head-${heads + 1}` : heads;
  const columns = face.grid[1];
  const place = held === null ? "verdict" : `row-${Math.floor(held / columns) + 1}-column-${(held % columns) + 1}`;
  return `virtus-${blocks}-${head}-${direction}-${place}.png`;
}

// What is shown, of which block and heads, and the verdict.
function viewWords(explorer, { span, block, heads, direction, held }) {
  const { attention, face } = explorer;
  const source = held === null ? face.reads : `the patch at ${explorer.nameOf(held)}`;
  const fusion = { mean: "the mean of all heads", max: "the most of all heads", min: "the least of all heads" };
  const head = typeof heads === "number" ? `head ${heads + 1} of ${attention.heads}` : fusion[heads];
  const blocks = span === "block" ? `Block ${block + 1} of ${attention.blocks}` : `Blocks 1 to ${block + 1} of ${attention.blocks} together (attention rollout)`;
  return [
    direction === "from" ? `Where ${source} looks` : `Who looks at ${source}`,
    `${blocks}, ${head}`,
    `${face.title} · p of fake = ${inDigits(face.p_fake)} · by ${face.model}`,
  ];
}

// Under the map its colours, and lines of words.
function captioned(picture, words) {
  const { width, edge, line, paper } = SAVED;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  const write = () => Object.assign(context, { font: `${0.7 * line}px system-ui, sans-serif`, textBaseline: "middle" });
  write();
  const lines = words.flatMap((sentence) => linesOf(context, sentence, width - 2 * edge));
  [canvas.width, canvas.height] = [width, picture.height + (lines.length + 1) * line + 2 * edge];
  write(); // a size that is set takes the font back
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0);
  drawLegend(context, picture.height + edge + line / 2);
  lines.forEach((text, at) => context.fillText(text, edge, picture.height + edge + (at + 1.5) * line));
  return canvas;
}

function drawLegend(context, y) {
  const { width, edge, bar, ink } = SAVED;
  context.fillStyle = ink;
  const [least, most] = ["least", "most, in this view"];
  const [left, right] = [edge + context.measureText(least).width + 12, width - edge - context.measureText(most).width - 12];
  context.fillText(least, edge, y);
  context.fillText(most, right + 12, y);
  const colours = context.createLinearGradient(left, 0, right, 0);
  HEAT.forEach((colour, at) => {
    const share = at / (HEAT.length - 1);
    colours.addColorStop(share, `rgba(${colour}, ${heatOpacity(share)})`);
  });
  context.fillStyle = colours;
  context.fillRect(left, y - bar / 2, right - left, bar);
  context.fillStyle = ink;
}

// Words in lines that are not wider.
function linesOf(context, sentence, width) {
  const lines = [];
  for (const word of sentence.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
