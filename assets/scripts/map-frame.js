// Runs in Gradio's HTML component, which gives `element`, `props`, `trigger` and `watch`. `props.photo` and `props.maps`
// come from virtus/app/maps/frame.py; `props.value` is the method that is shown.
const find = (selector) => element.querySelector(selector);
const all = (selector) => [...element.querySelectorAll(selector)];
const [root, sheet, picture, spot, patch] = [".map-frame", ".sheet", "img.picture", ".spot", ".patch"].map(find);
const [layer, strength, outlines] = [".spot .layer", ".strength input", ".outlines input"].map(find);
const [about, readout] = [".about-map", ".readout"].map(find);
const NOTES = "In squares of hair, clothes or wall models of this kind often keep notes on the whole picture: no clue about what lies there.";
const HEIGHT = 520; // px of what is shown, at most
const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
let maps = null; // of the face that is looked at
let view = "photo";
let pointed = -1; // index of a patch

const drawn = () => maps?.drawn[props.value];

function make(tag, attributes, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

function takePhoto() {
  window.virtusJudged = props.photo?.key ?? ""; // for Explore: of which photo the list of faces is
  if (maps?.photo !== props.photo?.key) maps = null;
  if (!maps) view = "photo";
  makeBoxes();
  show();
}

function takeMaps() {
  const sent = props.maps ? JSON.parse(props.maps) : null;
  if (!sent || sent.photo !== props.photo?.key) return;
  const isFirst = !maps;
  if (sent.of && sent.of === maps?.of) sent.drawn = { ...maps.drawn, ...sent.drawn };
  maps = sent;
  if (isFirst && sent.picture && props.photo.faces.length === 1) view = "face";
  if (!sent.picture) view = "photo";
  showChosen(sent.face);
  show();
}

// A face is chosen by the list of faces, which knows all that follows from it.
function makeBoxes() {
  all(".box").forEach((box) => box.remove());
  const faces = props.photo?.faces ?? [];
  sheet.append(...faces.map((face, index) => boxOf(face, index, faces.length > 1)));
  showChosen(maps?.face ?? props.photo?.chosen);
}

// The boxes stay while maps come in: one that was made anew would lose the focus, and a click on it.
function showChosen(chosen) {
  all(".box").forEach((box, index) => box.setAttribute("aria-pressed", String(index === chosen)));
}

function boxOf(face, index, isOneOfSeveral) {
  const label = make("span", { className: "label", textContent: `${index + 1} ${face.word}` });
  const box = make("button", { type: "button", className: "box", disabled: !isOneOfSeveral }, label);
  box.setAttribute("aria-label", `Face ${index + 1}: ${face.word}`);
  box.style.setProperty("--tone", face.colour);
  box.style.setProperty("--ink", face.ink);
  place(box, face.box);
  box.classList.toggle("low", face.box[1] < 0.1);
  box.addEventListener("click", () => {
    showChosen(index);
    document.querySelectorAll("#face input")[index]?.click();
  });
  return box;
}

function place(what, [left, top, width, height]) {
  Object.assign(what.style, { left: `${100 * left}%`, top: `${100 * top}%`, width: `${100 * width}%`, height: `${100 * height}%` });
}

function show() {
  root.hidden = !props.photo;
  if (root.hidden) return;
  const shown = view === "face" ? maps : props.photo;
  picture.src = shown.picture;
  picture.alt = view === "face" ? `Face ${maps.face + 1}, as the model is shown it` : props.photo.words;
  sheet.style.width = `min(100%, ${Math.round(HEIGHT * shown.ratio)}px)`;
  sheet.dataset.view = view;
  for (const button of all(".views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
    button.disabled = button.dataset.view === "face" && !maps?.picture;
  }
  about.hidden = !maps?.picture;
  showMap();
}

function showMap() {
  const map = drawn();
  spot.hidden = !map;
  root.setAttribute("aria-busy", String(!about.hidden && !map));
  for (const method of all(".method")) showMethod(method);
  if (!map) return point(-1);
  if (view === "face") place(spot, [0, 0, 1, 1]);
  else placeInPhoto();
  layer.src = map.layer;
  for (const path of all(".spot path")) path.setAttribute("d", outlines.checked ? map.outlines : "");
  showStrength();
  point(-1);
}

// The layer is upright, as the model saw the face; in the photo the face may lie on its side.
function placeInPhoto() {
  const [left, top, width, height] = maps.box;
  const isTurned = maps.turns % 2;
  const { ratio } = props.photo;
  const [upWidth, upHeight] = isTurned ? [height / ratio, width * ratio] : [width, height];
  place(spot, [left + (width - upWidth) / 2, top + (height - upHeight) / 2, upWidth, upHeight]);
  spot.style.transform = `rotate(${90 * maps.turns}deg)`;
}

function showMethod(method) {
  const map = maps?.drawn[method.dataset.method];
  method.setAttribute("aria-pressed", String(method.dataset.method === props.value));
  for (const [name, source] of [["face", maps?.picture], ["layer", map?.layer]]) {
    const image = method.querySelector(`.thumb .${name}`);
    if (!image) continue;
    image.hidden = !map;
    if (map) image.src = source;
  }
}

function showStrength() {
  layer.style.opacity = 1 - (1 - strength.value) ** 2;
}

function point(index) {
  const map = drawn();
  pointed = map ? index : -1;
  patch.hidden = pointed < 0;
  readout.textContent = !map ? "" : pointed < 0 ? summary(map) : describe(map, pointed);
  if (pointed < 0) return;
  const [rows, columns] = sizeOf(map);
  place(patch, [(pointed % columns) / columns, Math.floor(pointed / columns) / rows, 1 / columns, 1 / rows]);
}

const sizeOf = (map) => [map.rows, map.values.length / map.rows];

function where(map, index) {
  const [, columns] = sizeOf(map);
  const numbers = `row ${Math.floor(index / columns) + 1}, column ${(index % columns) + 1}`;
  return `${maps.names[index]} (${numbers})`;
}

function describe(map, index) {
  const value = map.values[index];
  const place = where(map, index);
  if (map.signed) return `${place}: ${worth(value)}`;
  const [least, most] = [Math.min(...map.values), Math.max(...map.values)];
  const share = most > least ? (value - least) / (most - least) : 0;
  const above = map.values.filter((other) => other < value).length / map.values.length;
  return `${place}: ${share.toFixed(2)} of this map's range (${value.toPrecision(3)}), higher than ${Math.floor(100 * above)} % of the patches`;
}

const worth = (value) => `${Math.abs(value).toFixed(3)} logits for ${value < 0 ? "real" : "fake"}`;

// What those who do not see the colours are told: the three highest patches.
function summary(map) {
  const height = (index) => (map.signed ? Math.abs(map.values[index]) : map.values[index]);
  if (Math.max(...map.values) === Math.min(...map.values)) return "";
  const top = [...map.values.keys()].sort((one, other) => height(other) - height(one)).slice(0, 3);
  const words = top.map((index) => where(map, index) + (map.signed ? `, ${worth(map.values[index])}` : ""));
  const notes = !map.signed && maps.names[top[0]] === "background" ? ` ${NOTES}` : ""; // signed: what taking it away does
  return `Highest: ${words.join("; ")}.${notes} Point at the map for its values.`;
}

function pointAt(event) {
  const map = drawn();
  if (!map || event.target !== spot) return;
  const [rows, columns] = sizeOf(map);
  const cell = (offset, length, number) => Math.min(number - 1, Math.max(0, Math.floor((offset / length) * number)));
  point(cell(event.offsetY, spot.clientHeight, rows) * columns + cell(event.offsetX, spot.clientWidth, columns));
}

for (const name of ["pointermove", "pointerdown"]) spot.addEventListener(name, pointAt);
spot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(-1));
spot.addEventListener("blur", () => point(-1));
spot.addEventListener("keydown", (event) => {
  const map = drawn();
  if (!map) return;
  if (event.key === "Escape") return spot.blur();
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  if (pointed < 0) return point(map.values.indexOf(Math.max(...map.values)));
  const [rows, columns] = sizeOf(map);
  const [row, column] = [Math.floor(pointed / columns) + step[0], (pointed % columns) + step[1]];
  if (row >= 0 && row < rows && column >= 0 && column < columns) point(row * columns + column);
});

for (const button of all(".views button")) {
  button.addEventListener("click", () => {
    view = button.dataset.view;
    show();
  });
}
for (const method of all(".method")) {
  method.addEventListener("click", () => {
    if (props.value === method.dataset.method) return;
    props.value = method.dataset.method;
    showMap();
    trigger("choose");
  });
}
strength.addEventListener("input", showStrength);
outlines.addEventListener("change", showMap);

watch("photo", takePhoto);
watch("maps", takeMaps);
takePhoto();
takeMaps();
