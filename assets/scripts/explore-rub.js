// Parts of the face are rubbed out, and the model judges what is left: the one thing here that asks the server.
function rubPart(explorer) {
  const root = explorer.find(".rub");
  const find = (selector) => root.querySelector(selector);
  const [fill, band, before, bar] = [".fill", ".band", ".before", ".bar"].map((name) => find(`.bar ${name}`) ?? find(name));
  const [undo, reset, flip, halt, flipSaid] = [".undo", ".reset", ".flip", ".halt", ".flip-said"].map(find);
  const tell = teller(find(".said"), find(".live"));
  let [gone, history, number, answered, isBusy, asked] = [[], [], 0, 0, false, ""];
  const canvas = new PatchCanvas(find("canvas"), {
    onPoint: (patch) => {
      pointed = patch;
      draw();
    },
    onPress: brush,
    onRelease: ask,
  });
  let pointed = null;

  function show() {
    const { face } = explorer;
    [gone, history, answered, asked] = [face.patches.map(() => false), [], ++number, ""];
    canvas.show(explorer.picture, face.grid);
    showBar(face, gone);
    flipSaid.textContent = "";
    running(false);
    draw();
  }

  function brush(patch, isFirst) {
    if (isFirst) remember();
    const isOut = find(".choice.brush :checked").value === "out";
    for (const at of under(patch)) gone[at] = isOut;
    draw();
    if (!isBusy) ask(); // while it still moves, as fast as answers come
  }

  function under(patch) {
    const { grid: [rows, columns] } = explorer.face;
    const width = find(".slide.width input").valueAsNumber;
    const [top, left] = [Math.floor(patch / columns), patch % columns].map((at) => at - Math.floor((width - 1) / 2));
    const cells = [];
    for (let y = Math.max(top, 0); y < Math.min(top + width, rows); y += 1) {
      for (let x = Math.max(left, 0); x < Math.min(left + width, columns); x += 1) cells.push(y * columns + x);
    }
    return cells;
  }

  function remember() {
    history.push([...gone]);
  }

  function become(patches) {
    gone = patches;
    draw();
    ask();
  }

  function draw() {
    if (!explorer.face) return;
    const number = gone.filter(Boolean).length;
    const colours = (patch) => (gone[patch] ? ((patch + Math.floor(patch / explorer.face.grid[1])) % 2 ? [120, 124, 134, 255] : [136, 140, 150, 255]) : [0, 0, 0, 0]);
    canvas.draw(number ? colours : null, pointed === null ? [] : under(pointed).map((patch) => [patch, "#ffffff"]));
    [undo.disabled, reset.disabled] = [!history.length, !number];
    say(find(".slide.width input"));
  }

  function say(input) {
    input.closest("label").querySelector("output").textContent = input.value;
  }

  // Of several questions the latest one counts: Gradio asks it when the one before is answered.
  function ask() {
    const question = { key: explorer.face.key, gone: gone.map(Number).join(""), fill: find(".choice.fill :checked").value };
    if (JSON.stringify(question) === asked) return;
    asked = JSON.stringify(question);
    isBusy = true;
    number += 1;
    root.classList.add("busy");
    explorer.ask("erase", { number, ...question });
  }

  function take(answer) {
    if (!answer || (answer.key && (answer.key !== explorer.face?.key || answer.number < answered))) return;
    if (answer.error) {
      [isBusy, asked] = [false, ""];
      root.classList.remove("busy");
      return tell(answer.error);
    }
    answered = answer.number;
    isBusy = answer.number < number;
    root.classList.toggle("busy", isBusy);
    showBar(answer, bitsOf(answer.gone));
  }

  function bitsOf(letters) {
    return [...letters].map((letter) => letter === "1");
  }

  // What was said without some patches: they may have changed since.
  function showBar({ p_fake: p, outcome }, without) {
    const { face } = explorer;
    const count = without.filter(Boolean).length;
    fill.style.width = `${100 * p}%`;
    fill.style.background = face.tones[outcome].colour;
    [band.style.left, band.style.width] = [`${100 * face.real_below}%`, `${100 * (face.fake_above - face.real_below)}%`];
    before.style.left = `${100 * face.p_fake}%`;
    const word = face.tones[outcome].word;
    const words = count
      ? `Without ${count === without.length ? "any patch" : `${count} of ${without.length} patches`}: ${word}, p = ${p.toFixed(3)} (${change(p - face.p_fake)}).${parts(without)}`
      : `As it is: ${word}, p = ${p.toFixed(3)}.`;
    bar.setAttribute("aria-label", words);
    tell(words);
  }

  function change(by) {
    return Math.abs(by) < 0.0005 ? "no change" : `${by > 0 ? "up" : "down"} by ${Math.abs(by).toFixed(3)}`;
  }

  function parts(without) {
    const names = againstSize(without.map(Number), explorer.face.patches).filter(({ share }) => share).map(({ name }) => name);
    return ` Rubbed out: ${names.slice(0, 4).join(", ")}${names.length > 4 ? " and more" : ""}.`;
  }

  function running(isRunning) {
    [flip.hidden, halt.hidden] = [isRunning, !isRunning];
  }

  function takeFlipping(step) {
    if (!step || !flip.hidden || (step.key && step.key !== explorer.face?.key)) return; // stopped, or of another face
    flipSaid.textContent = step.error ?? step.said;
    if (step.gone) {
      gone = bitsOf(step.gone);
      draw();
      showBar(step, gone);
    }
    if (step.done) running(false);
  }

  undo.addEventListener("click", () => become(history.pop()));
  for (const [name, patches] of [["reset", () => false], ["invert", (isGone) => !isGone]]) {
    find(`.${name}`).addEventListener("click", () => {
      remember();
      become(gone.map(patches));
    });
  }
  find(".keep").addEventListener("click", () => {
    remember();
    const isNone = gone.every((one) => !one);
    if (isNone) return tell("Brush over a part first: then all the rest is rubbed out.");
    become(gone.map((one) => !one));
  });
  find(".choice.fill").addEventListener("change", () => ask());
  find(".slide.width input").addEventListener("input", draw);
  flip.addEventListener("click", () => {
    remember();
    running(true);
    asked = "";
    flipSaid.textContent = "Looking for the patches that count most…";
    explorer.ask("flip", { key: explorer.face.key, fill: find(".choice.fill :checked").value, number, gone: "" });
  });
  halt.addEventListener("click", () => {
    running(false);
    flipSaid.textContent = "Stopped.";
    explorer.ask("halt", {});
  });

  return { show, take, takeFlipping };
}
