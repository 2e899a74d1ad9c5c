// Each part of the face rubbed out by itself, blurred and greyed: how much the verdict rests on each.
const [TRY, SEE_ALL] = ["Try each part in turn", "See all parts"];
const FILLS = ["blur", "grey"];

// onShow(patches or null): true for each of the part that a bar is pointed at for, and whether it is the background.
function triedParts(explorer, onShow) {
  const find = (selector) => explorer.find(`.rub ${selector}`);
  const [tried, triedSaid, scale, unsure] = [".tried", ".tried-said", ".tried-scale", ".unsure-said"].map(find);
  const buttons = [explorer.find(".short .try"), find(".try")];
  const kept = new KeptOfFaces();
  let isTried = false;

  function show() {
    const { face } = explorer;
    tell("");
    tried.replaceChildren();
    [scale.hidden, unsure.hidden] = [true, true];
    trying(false, false);
    const before = kept.find(face);
    if (before) tellAll(before);
  }

  async function tryAll() {
    const [{ face }, found] = [explorer, []];
    trying(true, false);
    if (!(await tryEach(partsAlone(face.patches), found))) return;
    if (!deciding(found, face).length && !(await tryEach(partsTogether(face.patches), found))) return;
    kept.keep(face, found);
    tellAll(found);
  }

  // Whether all of them could be tried, and the same face is still shown.
  async function tryEach(parts, found) {
    const { face } = explorer;
    const count = found.length + parts.length;
    for (const part of parts) {
      explorer.tellShort("rub", `Part ${found.length + 1} of ${count}: ${part.name}…`);
      const answers = await judgeWithout(part, face);
      if (!answers) return false;
      found.push(triedPart(part, answers, face.p_fake));
      list(found);
    }
    return true;
  }

  async function judgeWithout({ parts }, face) {
    const without = { key: face.key, gone: face.patches.map((part) => Number(parts.includes(part))).join("") };
    const answers = [];
    for (const fill of FILLS) {
      const answer = await explorer.judgeWithout({ ...without, fill });
      if (face !== explorer.face) return null;
      if (answer.error) {
        trying(false, false);
        tell(answer.error);
        return null;
      }
      answers.push(answer);
    }
    return answers;
  }

  function tellAll(found) {
    list(found);
    trying(false, true);
    tell(triedInWords(found, explorer.face));
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
    tried.replaceChildren(...ranked(found).map(row));
    scale.hidden = false;
    unsure.hidden = !found.some(({ isUnsure }) => isUnsure);
  }

  function row(part) {
    const { name, parts, change, changes, ps, isUnsure } = part;
    const { face } = explorer;
    const isAround = name === BACKGROUND;
    const size = percent(sizeOf(part, face) / face.patches.length);
    const signed = `${change === 0 ? "" : change < 0 ? "−" : "+"}${inDigits(Math.abs(change))}`;
    const [made] = barRows([{ name: isAround ? `${name} (${size})` : name, share: change, words: isUnsure ? "unsure" : signed, title: `${size} of the picture` }]);
    const both = document.createElement("small");
    both.textContent = bothInWords({ ps });
    made.append(both);
    made.classList.toggle("unsure", isUnsure);
    const bar = made.querySelector("i");
    bar.style.setProperty("--low", Math.min(...changes));
    bar.style.setProperty("--high", Math.max(...changes));
    made.tabIndex = 0;
    for (const event of ["pointerenter", "focus"]) made.addEventListener(event, () => onShow(face.patches.map((one) => parts.includes(one)), isAround));
    for (const event of ["pointerleave", "blur"]) made.addEventListener(event, () => onShow(null, false));
    return made;
  }

  // On a phone the list stands below the face, which stays in sight; by keyboard it goes on from there.
  function goToAll() {
    explorer.goTo(tried.closest(".narrow") ? ".rub .tried" : ".rub");
    tried.focus({ preventScroll: true });
  }

  buttons[0].addEventListener("click", () => (isTried ? goToAll() : tryAll()));
  buttons[1].addEventListener("click", tryAll);
  return { show, forget: () => kept.forget() };
}
