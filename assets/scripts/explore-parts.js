// Each part of the face rubbed out by itself, blurred and greyed: how much the verdict rests on each.
const [TRY, SEE_ALL] = ["Try each part in turn", "See all parts"];
const LITTLE = 0.05; // a change of p that is told of
const MUCH = 0.2;
const ALIKE = 0.8; // of the change by the first part: who changes p by so much counts about the same
const FILLS = ["blur", "grey"];
const LOOKS_FAKE = "Rubbing out often looks fake by itself: believe a change towards fake less."; // of real photos nearly all changes are

// onShow(name or null): the part that a bar is pointed at for.
function triedParts(explorer, onShow) {
  const find = (selector) => explorer.find(`.rub ${selector}`);
  const [tried, triedSaid, scale, unsure] = [".tried", ".tried-said", ".tried-scale", ".unsure-said"].map(find);
  const buttons = [explorer.find(".short .try"), find(".try")];
  let isTried = false;

  function show() {
    tell("");
    explorer.tellShort("background", "");
    tried.replaceChildren();
    [scale.hidden, unsure.hidden] = [true, true];
    trying(false, false);
  }

  // A blur may look forged, and so may grey: what counts is the change that both bring about.
  async function tryAll() {
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
          return tell(answer.error);
        }
        answers.push(answer);
      }
      found.push(triedPart(name, answers));
      list(found.sort((one, other) => other.rank - one.rank || other.most - one.most));
    }
    trying(false, true);
    tell(inWords(found));
    tellBackground(found);
  }

  // `by`: what both fillings change at least. Where that is little and one of them changes much more, nobody knows
  // whether the face or the filling did it: such a part stands behind those that count, before those that do not.
  function triedPart(name, answers) {
    const ps = answers.map((answer) => answer.p_fake);
    const changes = ps.map((p) => p - explorer.face.p_fake);
    const least = Math.abs(changes[0]) < Math.abs(changes[1]) ? 0 : 1;
    const change = changes[0] * changes[1] > 0 ? changes[least] : 0;
    const [by, most] = [Math.abs(change), Math.max(...changes.map(Math.abs))];
    const isUnsure = by < LITTLE && most >= LITTLE;
    return { name, ps, changes, change, by, most, isUnsure, rank: isUnsure ? LITTLE : by, outcomes: answers.map(({ outcome }) => outcome), ...answers[least] };
  }

  function inWords(found) {
    const { face } = explorer;
    const [first] = found;
    if (first.by < LITTLE) return noneInWords(found);
    const alike = found.filter(({ by }) => by >= ALIKE * first.by).map(({ name }) => name);
    const size = `${face.patches.filter((part) => part === first.name).length} of ${face.patches.length} patches`;
    const which = alike.length > 1 ? `Several parts count about the same: ${listOf(alike)}. Without the ${first.name}, blurred or grey, p of fake` : `p of fake changes most without the ${first.name} (${size}): blurred or grey, it`;
    const bound = first.change > 0 ? "at least" : "at most"; // of both
    const words = `${which} goes from ${face.p_fake.toFixed(2)} to ${first.p_fake.toFixed(2)} ${bound}: ${face.tones[first.outcome].word}.`;
    return first.change > 0 ? `${words} ${LOOKS_FAKE}` : words;
  }

  function noneInWords(found) {
    const { face } = explorer;
    const [torn] = [...found].sort((one, other) => other.most - one.most);
    if (torn.most >= MUCH) {
      return `No clear answer: without one part p of fake changes by blurring it or by greying it, never by both. Most at the ${torn.name}: ${face.p_fake.toFixed(2)} becomes ${torn.ps[0].toFixed(2)} blurred, ${torn.ps[1].toFixed(2)} grey.`;
    }
    const stays = found.every(({ outcomes }) => outcomes.every((outcome) => outcome === face.outcome));
    const end = stays ? `the verdict stays “${face.tones[face.outcome].word.toLowerCase()}”` : `p of fake changes by ${torn.most.toFixed(2)} at most`;
    return `No single part decides it: without any one of them, blurred or grey, ${end}. Rub out several together.`;
  }

  // Where it looked much at the background, that is easily taken for what decided.
  function tellBackground(found) {
    const { face } = explorer;
    const background = found.find(({ name }) => name === "background");
    const isSaid = explorer.find(".short-look").textContent.includes("background");
    if (!isSaid || !background?.outcomes.every((outcome) => outcome === face.outcome)) return;
    explorer.tellShort("background", `Without the background the verdict stays “${face.tones[face.outcome].word.toLowerCase()}”.`);
  }

  // The upper button leads to what was found, the lower one tries again.
  function trying(isTrying, wasTried) {
    isTried = wasTried;
    for (const button of buttons) button.disabled = isTrying;
    buttons[0].textContent = isTried ? SEE_ALL : TRY;
  }

  function tell(words) {
    triedSaid.textContent = words;
    explorer.tellShort("rub", words);
  }

  function list(found) {
    tried.replaceChildren(...found.map(row));
    scale.hidden = false;
    unsure.hidden = !found.some(({ isUnsure }) => isUnsure);
  }

  function row({ name, change, changes, ps, isUnsure }) {
    const signed = `${Math.abs(change) < 0.005 ? "" : change < 0 ? "−" : "+"}${Math.abs(change).toFixed(2)}`;
    const [made] = barRows([{ name, share: change, words: isUnsure ? "unsure" : signed, title: "" }]);
    const both = document.createElement("small");
    both.textContent = `${ps[0].toFixed(2)} blurred, ${ps[1].toFixed(2)} grey`;
    made.append(both);
    made.classList.toggle("unsure", isUnsure);
    const bar = made.querySelector("i");
    bar.style.setProperty("--low", Math.min(...changes));
    bar.style.setProperty("--high", Math.max(...changes));
    made.tabIndex = 0;
    for (const event of ["pointerenter", "focus"]) made.addEventListener(event, () => onShow(name));
    for (const event of ["pointerleave", "blur"]) made.addEventListener(event, () => onShow(null));
    return made;
  }

  buttons[0].addEventListener("click", () => (isTried ? explorer.goTo(".rub") : tryAll()));
  buttons[1].addEventListener("click", tryAll);
  return { show };
}
