// A small map for each head of each block, from the place that is looked from above.
const DRAWN_PER_FRAME = 64;

function headsPart(explorer) {
  const root = explorer.find(".heads");
  const holder = root.querySelector(".tiles");
  let [tiles, source, isDue, isSeen] = [[], null, false, false];

  function show() {
    const { blocks, heads } = explorer.attention;
    tiles = [...Array(blocks * heads).keys()].map((at) => tile(Math.floor(at / heads), at % heads));
    holder.style.setProperty("--wide", heads > 6 ? heads : heads * Math.floor(12 / heads));
    holder.style.setProperty("--narrow", heads > 6 ? inRows(heads, 12) : inRows(2 * heads, 6));
    holder.style.setProperty("--tiny", inRows(heads, 6));
    holder.classList.toggle("many", heads > 6);
    order();
  }

  // So many in a row, at most: where it can be, a block ends with a row.
  function inRows(heads, most) {
    for (let number = most; number > 2; number -= 1) if (heads % number === 0) return number;
    return most;
  }

  function tile(block, head) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tile";
    const canvas = document.createElement("canvas");
    const words = document.createElement("span");
    const room = made("small", "\u00a0"); // for what is said of it when its block has come: nothing moves then
    words.append(made("i", `${block + 1}.`), `${head + 1}`, room);
    button.append(canvas, words);
    button.classList.toggle("first", head === 0);
    button.setAttribute("aria-label", `Block ${block + 1}, head ${head + 1}`);
    button.addEventListener("click", () => explorer.chooseHead(block, head));
    return { block, head, button, canvas, room, statistics: null };
  }

  // A block has come: what is said of its heads.
  function take(block) {
    const statistics = explorer.attention.statisticsOf(block);
    for (const one of tiles.filter((each) => each.block === block)) {
      one.statistics = statistics[one.head];
      const { distance, entropy } = one.statistics;
      one.room.textContent = `${distance.toFixed(1)}·${entropy.toFixed(1)}`;
      const words = `Block ${block + 1}, head ${one.head + 1}: looks ${distance.toFixed(1)} patches far, spread of ${entropy.toFixed(1)} bits`;
      one.button.setAttribute("aria-label", words);
      one.button.title = words;
    }
    if (ordering() !== "block" && explorer.attention.statistics.every(Boolean)) order();
    draw();
  }

  function made(name, text) {
    const element = document.createElement(name);
    element.textContent = text;
    return element;
  }

  function ordering() {
    return root.querySelector(".order :checked").value;
  }

  function order() {
    const by = {
      block: () => 0,
      near: (one) => one.distance,
      far: (one) => -one.distance,
      narrow: (one) => one.entropy,
      wide: (one) => -one.entropy,
    }[ordering()];
    const value = (one) => (one.statistics ? by(one.statistics) : Infinity);
    const sorted = [...tiles].sort((one, other) => value(one) - value(other) || one.block - other.block || one.head - other.head);
    holder.classList.toggle("by-block", ordering() === "block");
    holder.replaceChildren(...sorted.map((one) => one.button));
    reach(tiles.find((one) => one.button.ariaPressed === "true")?.button ?? holder.firstChild);
  }

  // One of all is reached by Tab, the others from it by the arrow keys.
  function reach(button) {
    for (const one of holder.children) one.tabIndex = one === button ? 0 : -1;
  }

  function move(event) {
    const columns = getComputedStyle(holder).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...holder.children];
    all[all.indexOf(event.target) + step]?.focus();
  }

  // Not while nobody sees them: they follow the pointer.
  function draw(patch = source) {
    source = patch;
    if (isDue || !isSeen) return;
    isDue = true;
    requestAnimationFrame(() => paint(0));
  }

  function paint(first) {
    const { attention, face } = explorer;
    for (const one of tiles.slice(first, first + DRAWN_PER_FRAME)) {
      if (attention.has(one.block)) pixelsOf(heatColours(rowOf(one)), face.grid, one.canvas);
    }
    if (first + DRAWN_PER_FRAME < tiles.length) return requestAnimationFrame(() => paint(first + DRAWN_PER_FRAME));
    isDue = false;
    root.dataset.source = source ?? "verdict";
  }

  function rowOf({ block, head }) {
    const { attention } = explorer;
    if (source !== null) return attention.patches(attention.row(block, head, attention.numPrefix + source));
    const [pooled, sum] = [attention.pooled(head), new Float32Array(attention.numTokens)];
    pooled.forEach((share, token) => {
      if (share) attention.row(block, head, token).forEach((weight, at) => (sum[at] += weight * share));
    });
    return attention.patches(sum);
  }

  function mark({ block, heads }) {
    for (const one of tiles) one.button.setAttribute("aria-pressed", String(one.block === block && one.head === heads));
  }

  new ResizeObserver(() => {
    root.querySelector(".sideways").hidden = holder.scrollWidth <= holder.clientWidth;
  }).observe(holder);
  root.querySelector(".order").addEventListener("change", order);
  holder.addEventListener("keydown", move);
  holder.addEventListener("focusin", (event) => reach(event.target));
  new IntersectionObserver(([entry]) => {
    isSeen = entry.isIntersecting;
    if (!isSeen || !tiles.length) return;
    explorer.need([...explorer.attention.codes.keys()]);
    draw();
  }).observe(holder);

  return { show, take, draw, mark };
}
