// Runs in Gradio's HTML component, which gives `element`, `props`, `trigger` and `upload`.
const find = (selector) => element.querySelector(selector);
const [root, zone, input, status] = [".giving", ".drop-zone", "input", ".status"].map(find);
const [picture, clip, live] = ["img.preview", "video.clip", "video.live"].map(find);
const [camera, shoot, clear] = [".camera", ".shoot", ".clear"].map(find);
const [maxFiles, maxBytes] = [Number(root.dataset.maxFiles), Number(root.dataset.maxBytes)];
const maxFileBytes = Number(root.dataset.maxFileBytes);
const hasCamera = !camera.hidden && Boolean(navigator.mediaDevices?.getUserMedia); // https and localhost alone
let latest = 0; // of several given quickly, the last one counts
let cameraAsked = 0; // while the browser asks whether it may be used, something else may be given

async function take(files) {
  stopCamera();
  const own = ++latest;
  files = [...files].slice(0, maxFiles > 1 ? undefined : 1);
  show(files);
  const refusal = refuse(files);
  if (refusal) {
    forget();
    return say(refusal);
  }
  root.classList.add("busy");
  say("");
  try {
    const taken = [];
    for (const file of files) {
      if (files.length > 1) say(`Uploading ${taken.length + 1} of ${files.length}`);
      const { path, url } = await upload(file);
      if (own !== latest) return;
      taken.push({ path, url, orig_name: file.name, meta: { _type: "gradio.FileData" } });
    }
    if (maxFiles > 1) say(`${files.length === 1 ? files[0].name : `${files.length} files`}, ${inMiB(total(files))}`);
    props.value = maxFiles > 1 ? taken : taken[0];
    trigger("upload");
    showResult();
  } catch (error) {
    if (own !== latest) return;
    forget();
    say(reason(error));
  } finally {
    if (own === latest) root.classList.remove("busy");
  }
}

// The server's own sentence where it refused, as it does when it is busy: Gradio says "HTTP 503: " and the answer.
function reason(error) {
  try {
    return JSON.parse(error.message.slice(error.message.indexOf("{"))).detail;
  } catch {
    return "The upload broke off. Check the connection and try again.";
  }
}

function refuse(files) {
  if (files.length > maxFiles) return `These are ${files.length} files; at most ${maxFiles} are taken at once.`;
  const large = files.find((file) => file.size > maxFileBytes);
  if (large && files.length > 1) return `${large.name} has more than the ${inMiB(maxFileBytes)} that are read. Leave it out.`;
  if (total(files) <= maxBytes && !large) return "";
  if (large) return `The file has more than the ${inMiB(maxFileBytes)} that are read. Save a smaller version of it.`;
  return `The files have ${inMiB(total(files))} together; at most ${inMiB(maxBytes)} are read. Give fewer.`;
}

function total(files) {
  return files.reduce((sum, file) => sum + file.size, 0);
}

function inMiB(bytes) {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 && bytes % 2 ** 20 ? 1 : 0)} MiB`;
}

// On a phone the result lies below the controls.
function showResult() {
  const result = document.querySelector(root.dataset.result);
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (result?.getBoundingClientRect().top > innerHeight * 0.75) result.scrollIntoView({ behavior });
}

// Nothing given, and no verdict that was on something else.
function forget() {
  latest += 1;
  stopCamera();
  root.classList.remove("busy");
  show([]);
  say("");
  props.value = null;
  trigger("clear");
}

function say(sentence) {
  status.textContent = sentence;
}

// A preview of what is one file; of several, their number is said.
function show(files) {
  const preview = files.length === 1 ? (files[0].type.startsWith("video/") ? clip : picture) : null;
  for (const one of [picture, clip]) {
    URL.revokeObjectURL(one.src);
    one.dataset.name = files[0]?.name ?? "";
    one.hidden = one !== preview;
    if (one === preview) one.src = URL.createObjectURL(files[0]);
    else one.removeAttribute("src");
  }
  clear.hidden = !files.length;
  root.classList.toggle("filled", Boolean(preview));
}

// Browsers cannot show every format that can be read (HEIC): the result then shows what the server made of it.
for (const preview of [picture, clip]) {
  preview.addEventListener("error", () => {
    if (preview.hidden) return;
    preview.hidden = true;
    root.classList.remove("filled");
    if (maxFiles === 1) say(`This browser shows no preview of ${preview.dataset.name}.`);
  });
}

input.addEventListener("change", () => {
  if (input.files.length) take(input.files);
  input.value = ""; // the same file may be chosen again
});

for (const name of ["dragenter", "dragover"]) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.add("hover");
  });
}
for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("hover"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  if (maxFiles > 1 && entries.some((entry) => entry.isDirectory)) return takeFolders(entries);
  if (event.dataTransfer.files.length) take(event.dataTransfer.files);
});

// Of folders, all files below them: the server says what it leaves out.
async function takeFolders(entries) {
  try {
    const files = (await Promise.all(entries.map(filesIn))).flat();
    if (files.length) take(files);
    else say("There is no file in this folder.");
  } catch {
    say("The folder cannot be read. Give the photos in it, or a zip of them.");
  }
}

async function filesIn(entry) {
  if (!entry.isDirectory) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const [reader, found] = [entry.createReader(), []];
  const read = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (let some = await read(); some.length; some = await read()) found.push(...some); // 100 at a time
  found.sort((one, other) => (one.name < other.name ? -1 : 1));
  return (await Promise.all(found.map(filesIn))).flat();
}

clip.addEventListener("click", (event) => event.preventDefault()); // its controls, not the label's file dialog

document.addEventListener("paste", (event) => {
  const files = event.clipboardData?.files;
  const open = element.isConnected && element.offsetParent && !element.closest("[inert]"); // of the tab that is seen
  if (files?.length && open) take(files);
});

clear.addEventListener("click", forget);

for (const example of element.querySelectorAll(".example")) {
  example.addEventListener("click", async () => {
    const blob = await (await fetch(example.querySelector("img").src)).blob();
    take([new File([blob], example.dataset.name, { type: blob.type })]);
  });
}

camera.hidden = !hasCamera;
camera.addEventListener("click", async () => {
  const own = ++cameraAsked;
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  } catch {
    return say("The camera cannot be used. Allow it in the browser, or choose a file.");
  }
  if (own !== cameraAsked) return end(stream); // a file was given meanwhile, or it was asked for again
  live.srcObject = stream;
  show([]);
  say("");
  live.hidden = shoot.hidden = clear.hidden = false;
  camera.hidden = true;
  root.classList.add("filled");
});

shoot.addEventListener("click", () => {
  if (!live.videoWidth) return; // no picture has come yet
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [live.videoWidth, live.videoHeight];
  canvas.getContext("2d").drawImage(live, 0, 0);
  canvas.toBlob((blob) => take([new File([blob], "camera.png", { type: "image/png" })]), "image/png");
});

function end(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function stopCamera() {
  cameraAsked += 1;
  end(live.srcObject);
  if (live.srcObject) camera.hidden = false;
  live.srcObject = null;
  live.hidden = shoot.hidden = true;
}
