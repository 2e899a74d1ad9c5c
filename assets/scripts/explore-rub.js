// Parts of the face are rubbed out, and the model judges what is left: the one thing here that asks the server.
const PAUSE_MS = 100; // between two questions while the brush moves: no more than a server takes from an address

function rubPart(explorer) {
  const root = explorer.find(".rub");
  const find = (selector) => root.querySelector(selector);
  const [fill, band, before, bar] = [".fill", ".band", ".before", ".bar"].map((name) => find(`.bar ${name}`) ?? find(name));
  const [undo, reset, flip, halt, flipSaid] = [".undo", ".reset", ".flip", ".halt", ".flip-said"].map(find);
  const [swap, nearest, searched] = [".swap", ".nearest", ".searched"].map(find);
  const tell = teller(find(".said"), find(".live"));
  let [gone, history, isAsking, askedAt, answered, isSearching] = [[], [], false, 0, "", false];
  const canvas = new PatchCanvas(find("canvas"), {
    onPoint: (patch) => {
      pointed = patch;
      draw();
    },
    onPress: brush,
    onRelease: () => ask(true),
  });
  let [pointed, near] = [null, null]; // near: what a search without an answer came nearest with
  const parts = triedParts(explorer, (patches, isStriped) => {
    [canvas.outlined, canvas.isStriped] = patches ? [patches, isStriped] : [near, true];
    draw();
  });

  function show() {
    const { face } = explorer;
    [gone, history, canvas.outlined] = [face.patches.map(() => false), [], null];
    answered = JSON.stringify(question());
    canvas.show(explorer.picture, face.grid);
    showBar(face, gone);
    forget();
    parts.show();
    running(false);
  }

  function brush(patch, isFirst) {
    if (isSearching) return; // what it finds would take the place of that
    if (isFirst) {
      remember();
      bringAnswer();
    }
    forget();
    const isOut = find(".choice.brush :checked").value === "out";
    for (const at of under(patch)) gone[at] = isOut;
    draw();
    ask(isFirst);
  }

  // On a phone the face stays in sight while the page scrolls, the answer below it does not. The face stays where it is.
  function bringAnswer() {
    const face = find("canvas").getBoundingClientRect();
    if (root.closest(".narrow") && find(".said").getBoundingClientRect().top < face.bottom) explorer.goTo(".rub .stage");
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

  // What a search said was of other patches.
  function forget() {
    flipSaid.textContent = "";
    offer(null);
  }

  // Patches that are shown on the face, and rubbed out at a click.
  function offer(patches) {
    [near, canvas.outlined, canvas.isStriped, nearest.hidden] = [patches, patches, true, !patches]; // a line alone shows them as the others
    if (patches) nearest.textContent = `Rub out these ${patches.filter(Boolean).length} patches`;
    draw();
  }

  function become(patches) {
    forget();
    gone = patches;
    draw();
    ask(true);
  }

  function draw() {
    if (!explorer.face) return;
    canvas.covered = { patches: gone, picture: explorer.fillings[question().fill] };
    canvas.draw(null, pointed === null ? [] : under(pointed).map((patch) => [patch, "#ffffff"]));
    [undo.disabled, reset.disabled] = [isSearching || !history.length, isSearching || !gone.includes(true)];
    swap.disabled = isSearching;
    root.classList.toggle("brushed", gone.includes(true)); // what was found of whole parts is not of that
    say(find(".slide.width input"));
  }

  function say(input) {
    input.closest("label").querySelector("output").textContent = input.value;
  }

  function question() {
    return { key: explorer.face.key, gone: gone.map(Number).join(""), fill: find(".choice.fill :checked").value };
  }

  function isAnswered() {
    return JSON.stringify(question()) === answered;
  }

  // One question at a time: what is brushed meanwhile is asked for when that is answered.
  async function ask(isAtOnce) {
    if (isAsking || isAnswered()) return;
    isAsking = true;
    root.classList.add("busy");
    if (!isAtOnce) await pause();
    while (!isAnswered()) {
      const asked = question();
      askedAt = performance.now();
      const answer = asked.gone.includes("1") ? await explorer.judgeWithout(asked) : explorer.face; // it has its verdict
      if (asked.key !== explorer.face.key) continue; // another face is shown
      if (answer.error) {
        tell(answer.error);
        break;
      }
      answered = JSON.stringify(asked);
      showBar(answer, bitsOf(asked.gone));
      if (!isAnswered()) await pause();
    }
    isAsking = false;
    root.classList.remove("busy");
  }

  function pause() {
    return new Promise((resolve) => setTimeout(resolve, askedAt + PAUSE_MS - performance.now()));
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
    find(".between").textContent = `${between(face)}; dotted: before`;
    const word = face.tones[outcome].word;
    const words = count
      ? `Without ${count === without.length ? "any patch" : `${count} of ${without.length} patches`}: ${word}, p of fake = ${inDigits(p)} (${change(changeInDigits(face.p_fake, p))}).${partsIn(without)}`
      : `As it is: ${word}, p of fake = ${inDigits(p)}.`;
    bar.setAttribute("aria-label", words);
    tell(words);
  }

  function between({ real_below: low, fake_above: high }) {
    return low === high ? `threshold ${low.toFixed(2)}` : `inconclusive from ${low.toFixed(2)} to ${high.toFixed(2)}`;
  }

  function change(by) {
    return by === 0 ? "no change" : `${inDigits(Math.abs(by))} more ${by > 0 ? "fake" : "real"}`;
  }

  function partsIn(without) {
    const names = againstSize(without.map(Number), explorer.face.patches).filter(({ share }) => share).map(({ name }) => name);
    return ` Rubbed out: ${names.slice(0, 4).join(", ")}${names.length > 4 ? " and more" : ""}.`;
  }

  // What stands in for patches stays as it is meanwhile: the search's p is of that. An inconclusive verdict has no other side.
  function running(isRunning) {
    isSearching = isRunning;
    flip.hidden = isRunning || explorer.face.outcome === "inconclusive";
    [halt.hidden, searched.hidden, find(".choice.fill").disabled] = [!isRunning, !isRunning, isRunning];
    draw();
  }

  function takeFlipping(step) {
    if (!step || !isSearching || (step.key && step.key !== explorer.face?.key)) return; // stopped, or of another face
    searched.value = step.progress ?? 0;
    if (step.gone) {
      gone = bitsOf(step.gone);
      answered = JSON.stringify(question());
      draw();
      showBar(step, gone);
    }
    if (step.done) end(step.error ?? step.said, step.found, step.gone && bitsOf(step.gone));
    else flipSaid.textContent = step.said;
  }

  // Without an answer, what was rubbed out before the search is back; what came nearest is shown.
  function end(words, isFound, patches) {
    running(false);
    if (!isFound) become(history.pop());
    if (isFound || !patches?.includes(true)) return (flipSaid.textContent = words);
    flipSaid.textContent = `${words} Striped on the face: the patches that were taken away for that.`;
    offer(patches);
  }

  undo.addEventListener("click", () => become(history.pop()));
  for (const [button, patches] of [[reset, () => false], [swap, (isGone) => !isGone], [nearest, (_, at) => near[at]]]) {
    button.addEventListener("click", () => {
      remember();
      become(gone.map(patches));
    });
  }
  find(".choice.fill").addEventListener("change", () => become(gone));
  find(".slide.width input").addEventListener("input", draw);
  flip.addEventListener("click", () => {
    remember();
    forget();
    running(true);
    searched.value = 0;
    flipSaid.textContent = "Looking for the patches that count most: up to 250 looks at the face, a minute or more with a large model…";
    explorer.ask("flip", { ...question(), gone: "" });
  });
  halt.addEventListener("click", () => {
    end("Stopped on the way: nothing was found yet.", false, null);
    explorer.ask("halt", {});
  });

  return { show, takeFlipping, forget: parts.forget };
}
