// Maps over a face: a canvas whose patches can be pointed at, and small pictures of maps.
const HEAT = [[64, 28, 190], [150, 20, 180], [232, 34, 120], [255, 120, 40], [255, 232, 70]]; // from least to most
const REAL = [0, 114, 178];
const FAKE = [213, 84, 0];

function heatAt(share) {
  const place = Math.min(Math.max(share, 0), 1) * (HEAT.length - 1);
  const [low, part] = [Math.min(Math.floor(place), HEAT.length - 2), place % 1 || (place >= HEAT.length - 1 ? 1 : 0)];
  return HEAT[low].map((value, channel) => value + part * (HEAT[low + 1][channel] - value));
}

// Nothing where a map is low, so that the face stays as bright as it is.
function heatOpacity(share) {
  return Math.min(1, 1.25 * share);
}

// Nothing where the map is low: the face stays as bright as it is.
function heatColours(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return (patch) => {
    const share = most > least ? (values[patch] - least) / (most - least) : 0;
    return [...heatAt(share), 230 * heatOpacity(share)];
  };
}

// p of fake: vermilion from one half on, blue below; nothing where it says neither.
function verdictColours(values) {
  return (patch) => [...(values[patch] > 0.5 ? FAKE : REAL), 215 * Math.min(1, Math.abs(2 * values[patch] - 1)) ** 0.7];
}

// A picture with one pixel a patch.
function pixelsOf(colours, [rows, columns], canvas = document.createElement("canvas")) {
  [canvas.width, canvas.height] = [columns, rows];
  const image = new ImageData(columns, rows);
  for (let patch = 0; patch < rows * columns; patch += 1) image.data.set(colours(patch).map(Math.round), 4 * patch);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// A face under a grid of patches: one that is pointed at by pointer, finger or keys is told of.
//   onPoint(patch or null), onPress(patch, isFirst), onRelease(), onKey(event, patch)
class PatchCanvas {
  constructor(canvas, { onPoint = () => {}, onPress = () => {}, onRelease = () => {}, onKey = () => {} }) {
    Object.assign(this, { canvas, onPoint, onPress, onRelease, onKey });
    this.context = canvas.getContext("2d");
    this.cursor = null; // that the keys move
    this.isPressed = false;
    this.isDue = false;
    this.colours = null;
    this.marks = [];
    this.covered = null; // patches (of all, true or false) and the picture that is seen in their place, if any
    this.outlined = null; // patches (of all, true or false) with a line around them, if any
    this.isStriped = false; // those: where a line alone does not tell which side of it is meant
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.#release());
    canvas.addEventListener("pointerleave", () => this.isPressed || this.onPoint(null));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#put(null));
  }

  show(picture, grid) {
    [this.picture, this.grid] = [picture, grid];
    [this.canvas.width, this.canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    this.draw();
  }

  // A canvas with the same, of another width: to be kept.
  drawnAt(width) {
    const { picture, grid, colours, marks } = this;
    const other = Object.assign(new PatchCanvas(document.createElement("canvas"), {}), { picture, grid, colours, marks });
    [other.canvas.width, other.canvas.height] = [width, Math.round((width * picture.naturalHeight) / picture.naturalWidth)];
    other.#paint();
    return other.canvas;
  }

  // Once a frame at most.
  draw(colours = this.colours, marks = this.marks) {
    [this.colours, this.marks] = [colours, marks];
    if (this.isDue || !this.picture) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.#paint();
    });
  }

  #paint() {
    const { context, canvas } = this;
    context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
    if (this.covered) this.#cover(this.covered);
    if (this.colours) {
      context.imageSmoothingEnabled = false;
      context.drawImage(pixelsOf(this.colours, this.grid, (this.small ??= document.createElement("canvas"))), 0, 0, canvas.width, canvas.height);
      context.imageSmoothingEnabled = true;
    }
    if (this.outlined) this.#outlineAll(this.outlined);
    for (const [patch, colour] of this.marks) this.#outline(patch, colour);
    if (this.cursor !== null) this.#outline(this.cursor, "#ffffff");
  }

  #cover({ patches, picture }) {
    const { context, canvas } = this;
    const [inside, edge] = [new Path2D(), new Path2D()];
    patches.forEach((isCovered, patch) => {
      if (!isCovered) return;
      inside.rect(...this.#boxOf(patch));
      this.#addEdges(edge, patch, patches);
    });
    context.save();
    context.clip(inside);
    if (picture) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    else this.#hatch();
    context.restore();
    this.#stroke(edge, "#ffffff");
  }

  // Nothing is there: drawn as picture editors draw it.
  #hatch() {
    const { context, canvas, grid: [rows, columns] } = this;
    const squares = (patch) => ((patch + Math.floor(patch / (2 * columns))) % 2 ? [206, 208, 214, 255] : [236, 238, 242, 255]);
    context.imageSmoothingEnabled = false;
    context.drawImage(pixelsOf(squares, [2 * rows, 2 * columns]), 0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = true;
  }

  // The sides of one of these patches beyond which there is another one.
  #addEdges(path, patch, patches) {
    const { grid: [rows, columns] } = this;
    const [x, y, width, height] = this.#boxOf(patch);
    const [row, column] = [Math.floor(patch / columns), patch % columns];
    const sides = [
      [column > 0 && !patches[patch - 1], [x, y], [x, y + height]],
      [column < columns - 1 && !patches[patch + 1], [x + width, y], [x + width, y + height]],
      [row > 0 && !patches[patch - columns], [x, y], [x + width, y]],
      [row < rows - 1 && !patches[patch + columns], [x, y + height], [x + width, y + height]],
    ];
    for (const [, from, to] of sides.filter(([isEdge]) => isEdge)) {
      path.moveTo(...from);
      path.lineTo(...to);
    }
  }

  #boxOf(patch) {
    const { canvas, grid: [rows, columns] } = this;
    const [width, height] = [canvas.width / columns, canvas.height / rows];
    return [(patch % columns) * width, Math.floor(patch / columns) * height, width, height];
  }

  #outlineAll(patches) {
    const edge = new Path2D();
    patches.forEach((isIn, patch) => isIn && this.#addEdges(edge, patch, patches));
    if (this.isStriped) this.#stripe(patches);
    this.#stroke(edge, "#7df9ff");
  }

  #stripe(patches) {
    const { context, canvas: { width, height } } = this;
    const [inside, lines] = [new Path2D(), new Path2D()];
    patches.forEach((isIn, patch) => isIn && inside.rect(...this.#boxOf(patch)));
    for (let x = -height; x < width; x += width / 28) {
      lines.moveTo(x, height);
      lines.lineTo(x + height, 0);
    }
    context.save();
    context.clip(inside);
    this.#stroke(lines, "#7df9ff");
    context.restore();
  }

  #outline(patch, colour) {
    const box = new Path2D();
    box.rect(...this.#boxOf(patch));
    this.#stroke(box, colour);
  }

  #stroke(path, colour) {
    const { context, canvas } = this;
    const line = canvas.width / 200;
    for (const [style, thickness] of [["#000000", 2.4 * line], [colour, line]]) {
      [context.strokeStyle, context.lineWidth] = [style, thickness];
      context.stroke(path);
    }
  }

  patchAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (!this.grid || x < 0 || y < 0 || x >= 1 || y >= 1) return null;
    return Math.floor(y * this.grid[0]) * this.grid[1] + Math.floor(x * this.grid[1]);
  }

  #move(event) {
    const patch = this.patchAt(event);
    this.onPoint(patch);
    if (this.isPressed && patch !== null) this.onPress(patch, false);
  }

  #press(event) {
    if (event.button) return;
    this.isPressed = true;
    this.canvas.setPointerCapture(event.pointerId);
    const patch = this.patchAt(event);
    if (patch === null) return;
    this.onPoint(patch);
    this.onPress(patch, true);
  }

  #release() {
    if (this.isPressed) this.onRelease();
    this.isPressed = false;
  }

  #put(cursor) {
    this.cursor = cursor;
    this.onPoint(cursor);
    this.draw();
  }

  #key(event) {
    if (!this.grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const [rows, columns] = this.grid;
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const middle = Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    if (steps[event.key]) {
      const from = this.cursor ?? middle;
      const [y, x] = [Math.floor(from / columns) + steps[event.key][0], (from % columns) + steps[event.key][1]];
      if (y >= 0 && x >= 0 && y < rows && x < columns) this.#put(y * columns + x);
      event.preventDefault();
    } else if (["Enter", " "].includes(event.key)) {
      this.onPress(this.cursor ?? middle, true);
      this.onRelease();
      event.preventDefault();
    } else if (event.key === "Escape" && this.cursor !== null) {
      this.#put(null);
    }
    this.onKey(event);
  }
}

// Rows of a list of bars: a name, a share of the full length, and words at its end.
function barRows(bars) {
  return bars.map(({ name, share, mark, words, title }) => {
    const row = document.createElement("li");
    row.append(...["span", "i", "b"].map((tag) => document.createElement(tag)));
    row.children[0].textContent = name;
    row.children[1].style.setProperty("--share", share);
    row.children[1].style.setProperty("--mark", mark);
    row.children[2].textContent = words;
    row.title = title;
    return row;
  });
}

// "the nose, the mouth and the chin".
function listOf(names) {
  return names.map((name) => `the ${name}`).join(", ").replace(/, ([^,]*)$/, " and $1");
}

// Tells in the page at once, and to screen readers when it rests.
function teller(shown, live) {
  let timer = 0;
  return (sentence) => {
    shown.textContent = sentence;
    clearTimeout(timer);
    timer = setTimeout(() => {
      live.textContent = sentence;
    }, 700);
  };
}
