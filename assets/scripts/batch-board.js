// Runs in Gradio's HTML component, which gives `element`, `props`, `trigger` and `watch`.
const find = (selector) => element.querySelector(selector);
const [root, empty, error, results, body] = [".board", ".empty", ".message", ".results", "tbody"].map(find);
const [progress, said, live, filters] = ["progress", ".said", ".live", ".filters"].map(find);
const looks = JSON.parse(root.dataset.looks); // gravest first
const gravity = new Map(looks.map((look, at) => [look.outcome, at]));
const rank = {
  name: (row) => row.name,
  outcome: (row) => gravity.get(row.outcome),
  p: (row) => row.p,
  faces: (row) => row.faces,
};
let shown = ""; // the batch whose rows stand here
let rows = []; // what is known of each, and its element
let order = { key: "", down: false };
let only = ""; // an outcome; all of them if empty

function make(tag, attributes, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

function toned(made, look) {
  made.style.setProperty("--tone", look.colour);
  made.style.setProperty("--ink", look.ink);
  return made;
}

function symbolOf(look) {
  return toned(make("span", { className: "symbol", ariaHidden: "true", textContent: look.symbol }), look);
}

function show() {
  const board = props.value;
  if (!board) return;
  if (board.batch !== shown) begin(board.batch);
  empty.hidden = board.state !== "empty";
  error.hidden = board.state !== "error";
  error.querySelector("p").textContent = board.state === "error" ? board.said : "";
  results.hidden = !error.hidden || !empty.hidden;
  const zone = document.querySelector("#batch-photos");
  if (zone) zone.inert = ["waiting", "busy"].includes(board.state);
  [progress.max, progress.value] = [Math.max(board.total, 1), board.done];
  progress.hidden = board.done === board.total || board.state === "stopped";
  said.textContent = board.said;
  for (const row of board.rows.slice(rows.length)) add(row);
  offerFilters();
  if (["done", "stopped"].includes(board.state)) live.textContent = inWords(board); // once, not at each photo
}

function begin(batch) {
  shown = batch;
  rows = [];
  only = live.textContent = "";
  body.replaceChildren();
}

// Only the new row is put in its place: what has the focus stays where it is.
function add(row) {
  const known = { ...row, number: rows.length };
  known.element = draw(known);
  rows.push(known);
  filter(known);
  const next = sorted()[sorted().indexOf(known) + 1];
  body.insertBefore(known.element, next?.element ?? null);
}

function draw(row) {
  const look = looks[gravity.get(row.outcome)];
  const picture = row.thumbnail ? make("img", { src: row.thumbnail, alt: "" }) : make("span", { className: "no-picture" });
  const name = make("button", { type: "button", textContent: row.name });
  const note = make("span", { className: "note", textContent: row.note });
  const chip = toned(make("span", { className: "chip" }, symbolOf(look), ` ${look.word}`), look);
  const p = row.p === null ? "" : row.p.toFixed(3);
  const drawn = make(
    "tr",
    {},
    make("td", { className: "photo" }, make("div", {}, picture, make("div", {}, name, note))),
    make("td", {}, chip),
    make("td", { className: "number", textContent: p }),
    make("td", { className: "number faces", textContent: row.faces }),
  );
  drawn.dataset.number = row.number;
  drawn.addEventListener("click", () => choose(row, drawn));
  return drawn;
}

function choose(row, drawn) {
  body.querySelector("[aria-current]")?.removeAttribute("aria-current");
  drawn.setAttribute("aria-current", "true");
  live.textContent = `The analysis of ${row.name} comes below the table.`;
  trigger("choose"); // the row that is current then
}

function sorted() {
  const value = rank[order.key];
  if (!value) return rows;
  const known = (row) => value(row) !== null;
  return [...rows].sort((one, other) => {
    if (known(one) !== known(other)) return known(one) ? -1 : 1; // without a number: last, either way
    const [a, b] = [value(one), value(other)];
    const found = typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
    return (order.down ? -found : found) || one.number - other.number;
  });
}

function filter(row) {
  row.element.hidden = Boolean(only) && row.outcome !== only;
}

function counted() {
  const counts = looks.map((look) => [look, rows.filter((row) => row.outcome === look.outcome).length]);
  return counts.filter(([, count]) => count);
}

function inWords(board) {
  const counts = counted().map(([look, count]) => `${count} ${look.word.toLowerCase()}`);
  return [board.said, counts.join(", ")].filter(Boolean).join(". ");
}

function offerFilters() {
  const offered = [[{ outcome: "", word: "All" }, rows.length], ...counted()];
  for (const [look, count] of offered) {
    let button = [...filters.children].find((one) => one.dataset.outcome === look.outcome);
    if (!button) {
      button = make("button", { type: "button" });
      button.dataset.outcome = look.outcome;
      button.addEventListener("click", () => showOnly(look.outcome));
      filters.append(button);
    }
    button.replaceChildren(...(look.outcome ? [symbolOf(look)] : []), ` ${look.word} `, String(count));
    button.setAttribute("aria-pressed", String(only === look.outcome));
    button.style.order = look.outcome ? gravity.get(look.outcome) + 1 : 0;
  }
  for (const button of [...filters.children]) {
    if (!offered.some(([look]) => look.outcome === button.dataset.outcome)) button.remove();
  }
}

function showOnly(outcome) {
  only = outcome;
  rows.forEach(filter);
  offerFilters();
}

for (const button of element.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const { key } = button.dataset;
    order = { key, down: order.key === key ? !order.down : key === "p" || key === "faces" };
    for (const head of element.querySelectorAll("th")) {
      const own = head.contains(button);
      head.setAttribute("aria-sort", own ? (order.down ? "descending" : "ascending") : "none");
    }
    body.append(...sorted().map((row) => row.element));
  });
}

watch("value", show);
show();
