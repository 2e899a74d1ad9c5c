// Parts of the face are rubbed out, and the model judges what is left: the one thing here that asks the server.
const [TRY, SEE_ALL] = ["Try each part in turn", "See all parts"];
const PAUSE_MS = 100; // between two questions while the brush moves: no more than a server takes from an address
const LITTLE = 0.05;
const MUCH = 0.2;
const ALIKE = 0.8; // of the change by the first part: who changes p by so much counts about the same
const FILLS = ["blur", "grey"];
const NONE_DECIDES = `No part decides it alone: without any one of them, blurred or grey, p changes by less than ${LITTLE}.`;

function rubPart(explorer) {
  const root = explorer.find(".rub");
  const find = (selector) => root.querySelector(selector);
  const [fill, band, before, bar] = [".fill", ".band", ".before", ".bar"].map((name) => find(`.bar ${name}`) ?? find(name));
  const [undo, reset, flip, halt, flipSaid] = [".undo", ".reset", ".flip", ".halt", ".flip-said"].map(find);
  const [tried, triedSaid, triedScale] = [".tried", ".tried-said", ".tried-scale"].map(find);
  const tryButtons = [explorer.find(".short .try"), find(".try")];
  const tell = teller(find(".said"), find(".live"));
  let [gone, history, isAsking, askedAt, answered, isTried] = [[], [], false, 0, "", false];
  const canvas = new PatchCanvas(find("canvas"), {
    onPoint: (patch) => {
      pointed = patch;
      draw();
    },
    onPress: brush,
    onRelease: () => ask(true),
  });
  let pointed = null;

  function show() {
    const { face } = explorer;
    [gone, history] = [face.patches.map(() => false), []];
    answered = JSON.stringify(question());
    canvas.show(explorer.picture, face.grid);
    showBar(face, gone);
    flipSaid.textContent = "";
    tellTried("");
    tried.replaceChildren();
    triedScale.hidden = true;
    trying(false, false);
    running(false);
    draw();
  }

  function brush(patch, isFirst) {
    if (isFirst) remember();
    const isOut = find(".choice.brush :checked").value === "out";
    for (const at of under(patch)) gone[at] = isOut;
    draw();
    ask(isFirst);
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
    ask(true);
  }

  function draw() {
    if (!explorer.face) return;
    canvas.covered = { patches: gone, picture: explorer.fillings[question().fill] };
    canvas.draw(null, pointed === null ? [] : under(pointed).map((patch) => [patch, "#ffffff"]));
    [undo.disabled, reset.disabled] = [!history.length, !gone.includes(true)];
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

  // Each part of the face by itself, the rest of it left as it is. A blur may look forged, and so may grey: what counts
  // is the change that both bring about.
  async function tryParts() {
    const [{ face }, found] = [explorer, []];
    const names = [...new Set(face.patches)];
    trying(true, false);
    for (const name of names) {
      explorer.tellShort("rub", `Part ${found.length + 1} of ${names.length}: ${name}…`);
      const answers = [];
      const without = { key: face.key, gone: face.patches.map((part) => Number(part === name)).join("") };
      for (const filling of FILLS) {
        const answer = await explorer.judgeWithout({ ...without, fill: filling });
        if (face !== explorer.face) return;
        if (answer.error) {
          trying(false, false);
          return tellTried(answer.error);
        }
        answers.push(answer);
      }
      found.push(triedPart(name, answers));
      showTried(found.sort((one, other) => other.by - one.by));
    }
    trying(false, true);
    tellTried(inWords(found));
  }

  function triedPart(name, answers) {
    const changes = answers.map(({ p_fake: p }) => p - explorer.face.p_fake);
    const least = Math.abs(changes[0]) < Math.abs(changes[1]) ? 0 : 1;
    const by = changes[0] * changes[1] > 0 ? changes[least] : 0;
    return { name, change: by, by: Math.abs(by), ...answers[least], ps: answers.map((answer) => answer.p_fake), most: Math.max(...changes.map(Math.abs)) };
  }

  function inWords(found) {
    const { face } = explorer;
    const [first] = found;
    if (first.by < LITTLE) {
      const [torn] = [...found].sort((one, other) => other.most - one.most);
      const words = `No clear answer: without one part p changes by blurring it or by greying it, never by both. Most at the ${torn.name}: ${face.p_fake.toFixed(2)} becomes ${torn.ps[0].toFixed(2)} blurred, ${torn.ps[1].toFixed(2)} grey.`;
      return torn.most < MUCH ? NONE_DECIDES : words;
    }
    const alike = found.filter(({ by }) => by >= ALIKE * first.by).map(({ name }) => name);
    const size = `${face.patches.filter((part) => part === first.name).length} of ${face.patches.length} patches`;
    const which = alike.length > 1 ? `Several parts count about the same: ${listOf(alike)}. Without the ${first.name},` : `It depends most on this part: ${first.name} (${size}). Without it,`;
    const bound = first.change > 0 ? "at least" : "at most"; // of both
    return `${which} blurred or grey, p = ${face.p_fake.toFixed(2)} becomes ${first.p_fake.toFixed(2)} ${bound}, ${face.tones[first.outcome].word}.`;
  }

  // The upper button leads to what was found, the lower one tries again.
  function trying(isTrying, wasTried) {
    isTried = wasTried;
    for (const button of tryButtons) button.disabled = isTrying;
    tryButtons[0].textContent = isTried ? SEE_ALL : TRY;
  }

  function tellTried(words) {
    triedSaid.textContent = words;
    explorer.tellShort("rub", words);
  }

  function showTried(found) {
    const signed = (by) => `${Math.abs(by) < 0.005 ? "" : by < 0 ? "−" : "+"}${Math.abs(by).toFixed(2)}`;
    const bars = found.map(({ name, change: by, ps }) => ({ name, share: by, words: signed(by), title: `Without it p = ${ps[0].toFixed(3)} (a blur), ${ps[1].toFixed(3)} (grey)` }));
    tried.replaceChildren(...barRows(bars));
    triedScale.hidden = false;
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
      ? `Without ${count === without.length ? "any patch" : `${count} of ${without.length} patches`}: ${word}, p = ${p.toFixed(3)} (${change(p - face.p_fake)}).${parts(without)}`
      : `As it is: ${word}, p = ${p.toFixed(3)}.`;
    bar.setAttribute("aria-label", words);
    tell(words);
  }

  function between({ real_below: low, fake_above: high }) {
    return low === high ? `threshold ${low.toFixed(2)}` : `inconclusive from ${low.toFixed(2)} to ${high.toFixed(2)}`;
  }

  function change(by) {
    return Math.abs(by) < 0.0005 ? "no change" : `${by > 0 ? "up" : "down"} by ${Math.abs(by).toFixed(3)}`;
  }

  function parts(without) {
    const names = againstSize(without.map(Number), explorer.face.patches).filter(({ share }) => share).map(({ name }) => name);
    return ` Rubbed out: ${names.slice(0, 4).join(", ")}${names.length > 4 ? " and more" : ""}.`;
  }

  // What stands in for patches stays as it is meanwhile: the search's p is of that.
  function running(isRunning) {
    [flip.hidden, halt.hidden, find(".choice.fill").disabled] = [isRunning, !isRunning, isRunning];
  }

  function takeFlipping(step) {
    if (!step || !flip.hidden || (step.key && step.key !== explorer.face?.key)) return; // stopped, or of another face
    flipSaid.textContent = step.error ?? step.said;
    if (step.gone) {
      gone = bitsOf(step.gone);
      answered = JSON.stringify(question());
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
  tryButtons[0].addEventListener("click", () => (isTried ? triedSaid.scrollIntoView({ block: "center" }) : tryParts()));
  tryButtons[1].addEventListener("click", tryParts);
  find(".choice.fill").addEventListener("change", () => {
    draw();
    ask(true);
  });
  find(".slide.width input").addEventListener("input", draw);
  flip.addEventListener("click", () => {
    remember();
    running(true);
    flipSaid.textContent = "Looking for the patches that count most: up to 250 looks at the face, a minute or more with a large model…";
    explorer.ask("flip", { ...question(), gone: "" });
  });
  halt.addEventListener("click", () => {
    running(false);
    flipSaid.textContent = "Stopped on the way: what is rubbed out here is no answer.";
    explorer.ask("halt", {});
  });

  return { show, takeFlipping };
}
