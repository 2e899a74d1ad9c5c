// What came of rubbing out each part of a face, blurred and greyed, and what that says. Nothing here knows of the page.
const LITTLE = 0.05; // a change of p that is told of
const MUCH = 0.2;
const ALIKE = 0.8; // of the change by the first part: who changes p by so much counts about the same
const LOOKS_FAKE = "Rubbing out often looks fake by itself: believe a change towards fake less."; // of real photos nearly all changes are
const AROUND = "So it does not go by the face alone; but replacing so much of a picture changes p by itself, too.";
const SPREAD = "What the model goes by seems to be spread over several parts.";
// Neighbours, tried where none of them decides alone; the fewest first.
const TOGETHER = [
  { name: "both eyes", words: "both eyes", parts: ["left eye", "right eye"] },
  { name: "nose and mouth", words: "the nose and the mouth together", parts: ["nose", "mouth"] },
  { name: "eyes and nose", words: "the eyes and the nose together", parts: ["left eye", "right eye", "nose"] },
];

function partsAlone(patches) {
  return [...new Set(patches)].map((name) => ({ name, words: `the ${name}`, parts: [name] }));
}

function partsTogether(patches) {
  return TOGETHER.filter(({ parts }) => parts.every((name) => patches.includes(name)));
}

// `answers`: blurred, and grey. A blur may look forged, and so may grey: what counts is what both bring about, the
// smaller change. Where they go apart, nobody knows whether the face or the filling did it.
function triedPart(part, answers, whole) {
  const ps = answers.map((answer) => answer.p_fake);
  const changes = ps.map((p) => changeInDigits(whole, p));
  const [least, most] = [...changes].sort((one, other) => Math.abs(one) - Math.abs(other));
  const isApart = least * most < 0;
  const [change, isUnsure] = [isApart ? 0 : least, isApart && Math.abs(most) >= LITTLE];
  const by = Math.abs(change);
  const outcomes = answers.map(({ outcome }) => outcome);
  return { ...part, ps, changes, change, by, most: Math.abs(most), isUnsure, outcomes };
}

// Who changes p most first; the unsure ones behind all others, the background last.
function ranked(found) {
  const place = ({ name, isUnsure }) => (name === BACKGROUND ? 2 : Number(isUnsure));
  return [...found].sort((one, other) => place(one) - place(other) || other.by - one.by || other.most - one.most);
}

function ofFace(found) {
  return ranked(found).filter(({ name }) => name !== BACKGROUND);
}

// How far a change leads away from the verdict. A part without which the verdict is surer spoke against it.
function away(change, { outcome }) {
  return { real: change, fake: -change }[outcome] ?? Math.abs(change);
}

// Those whose loss leads away from the verdict; from an inconclusive one towards real, where any does: it is more
// credible than a larger change towards fake.
function counting(parts, face) {
  const led = parts.filter(({ change }) => away(change, face) >= LITTLE);
  const falls = led.filter(({ change }) => change < 0);
  return face.outcome === "inconclusive" && falls.length ? falls : led;
}

// The parts of the face that the verdict rests on about the most; none where it hardly does on any.
function deciding(found, face) {
  const [most, ...others] = counting(ofFace(found).filter(({ parts }) => parts.length === 1), face);
  return most ? [most, ...others.filter(({ by }) => by >= ALIKE * most.by)] : [];
}

// The fewest neighbours that it rests on about the most.
function decidingTogether(found, face) {
  const groups = counting(found.filter(({ parts }) => parts.length > 1), face);
  const most = Math.max(...groups.map(({ by }) => by));
  return groups.find(({ by }) => by >= ALIKE * most) ?? null;
}

function triedInWords(found, face) {
  const alone = deciding(found, face);
  const together = alone.length ? null : decidingTogether(found, face);
  const first = alone[0] ?? together;
  const words = first ? firstInWords(first, alone, face) : noneInWords(ofFace(found), face);
  return [words, cautionInWords(ofFace(found), first, face), backgroundInWords(found, first, face)].filter(Boolean).join(" ");
}

function firstInWords(first, alone, face) {
  return `${leadInWords(first, alone, face)} from ${inDigits(face.p_fake)} to ${bothInWords(first)}; ${verdictInWords(first, face)}.`;
}

function cautionInWords(parts, first, face) {
  if (first?.change > 0) return LOOKS_FAKE;
  const passed = first && face.outcome === "inconclusive" && parts.find(({ change }) => change > first.by);
  return passed ? `Without ${passed.words} it rises by more. ${LOOKS_FAKE}` : "";
}

function leadInWords(first, alone, face) {
  const [size, whole] = [`${sizeOf(first, face)} of ${face.patches.length} patches`, wholeOf(face)];
  const part = `${first.words} (${size})`;
  if (alone.length === 1) return `Of the parts of the ${whole}, ${first.words} counts most (${size}): without it p of fake ${first.change < 0 ? "falls" : "rises"}`;
  if (!alone.length) return `No single part of the ${whole} decides it. But without ${part} p of fake goes`;
  return `Several parts of the ${whole} count about the same: ${listOf(alone.map(({ name }) => name))}. Without ${part} p of fake goes`;
}

function bothInWords({ ps }) {
  return `${inDigits(ps[0])} blurred, ${inDigits(ps[1])} grey`;
}

function quoted(outcome, face) {
  return `“${face.tones[outcome].word.toLowerCase()}”`;
}

// Whether the verdict is the same by either filling.
function stays({ outcomes }, face) {
  return outcomes.every((outcome) => outcome === face.outcome);
}

function verdictInWords({ outcomes }, face) {
  const [blurred, grey] = outcomes.map((outcome) => quoted(outcome, face));
  if (blurred !== grey) return `the verdict is ${blurred} if it is blurred, ${grey} if it is grey`;
  return outcomes[0] === face.outcome ? `the verdict stays ${blurred}` : `the verdict becomes ${blurred}`;
}

function noneInWords(parts, face) {
  const whole = wholeOf(face);
  const most = ({ changes }) => Math.max(...changes.map((change) => away(change, face)));
  const [torn] = [...parts].sort((one, other) => most(other) - most(one));
  if (most(torn) >= MUCH) {
    return `No clear answer: without ${torn.words} p of fake goes from ${inDigits(face.p_fake)} to ${bothInWords(torn)}, so it depends on what stands there instead.`;
  }
  const end = parts.every((part) => stays(part, face)) ? `the verdict stays ${quoted(face.outcome, face)}` : `p of fake changes by ${inDigits(Math.max(...parts.map((part) => part.most)))} at most`;
  const any = parts.some((part) => part.parts.length > 1) ? "any of them, or neighbours together" : "any one of them";
  return `No single part of the ${whole} decides it: without ${any}, blurred or grey, ${end}.`;
}

// Where it changes p as much as the face's own parts or more: it is much larger than any of them. Else whether the
// face alone gives the same verdict.
function backgroundInWords(found, first, face) {
  const background = found.find(({ name }) => name === BACKGROUND);
  if (!background) return "";
  if (background.by < Math.max(first?.by ?? 0, LITTLE)) {
    if (!stays(background, face)) return background.by < LITTLE ? "" : withoutBackground(background, face, "p is");
    const alone = `The face alone, without the background, is ${quoted(face.outcome, face)} too.`;
    return first ? alone : `${alone} ${SPREAD}`;
  }
  const end = away(background.change, face) >= LITTLE ? ` ${AROUND}` : "";
  return `${withoutBackground(background, face, first ? "p changes more:" : "p is")}${end}`;
}

function withoutBackground(background, face, changes) {
  const share = percent(sizeOf(background, face) / face.patches.length);
  const verdict = stays(background, face) ? "" : ` (${verdictInWords(background, face)})`;
  return `Without the background, ${share} of the picture, ${changes} ${bothInWords(background)}${verdict}.`;
}

function sizeOf({ parts }, face) {
  return face.patches.filter((part) => parts.includes(part)).length;
}

function wholeOf(face) {
  return partsTogether(face.patches).length ? "face" : "picture"; // no face was looked for in it
}

// What was found of the faces of one photo, while the page holds it; in its memory alone.
class KeptOfFaces {
  constructor() {
    this.forget();
  }

  forget() {
    [this.photo, this.results] = [null, new Map()];
  }

  keep(face, result) {
    if (this.photo !== face.photo) this.forget();
    this.photo = face.photo;
    this.results.set(face.judged, result);
  }

  find(face) {
    if (this.photo !== face.photo) this.forget();
    return this.results.get(face.judged) ?? null;
  }
}
