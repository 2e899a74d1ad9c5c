// Runs in Gradio's HTML component, which gives `element`, `props`, `trigger` and `upload`.
const find = (selector) => element.querySelector(selector);
const [root, zone, input, status] = [".photo-input", ".drop-zone", "input", ".status"].map(find);
const [picture, video] = ["img.preview", "video"].map(find);
const [camera, shoot, clear] = [".camera", ".shoot", ".clear"].map(find);
let latest = 0; // of several photos given quickly, the last one counts

async function take(file) {
  stopCamera();
  const own = ++latest;
  show(file);
  if (file.size > MAX_BYTES) {
    forget();
    return say(`The file has more than the ${MAX_BYTES / 2 ** 20} MiB that are read. Save a smaller version of it.`);
  }
  root.classList.add("busy");
  say("");
  try {
    const { path, url } = await upload(file);
    if (own !== latest) return;
    props.value = { path, url, orig_name: file.name, meta: { _type: "gradio.FileData" } };
    trigger("upload");
    showResult();
  } catch {
    if (own !== latest) return;
    forget();
    say("The upload broke off. Check the connection and try again.");
  } finally {
    if (own === latest) root.classList.remove("busy");
  }
}

// On a phone the result lies below the controls.
function showResult() {
  const result = document.querySelector("#verdict");
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (result.getBoundingClientRect().top > innerHeight * 0.75) result.scrollIntoView({ behavior });
}

// No photo, and no verdict that was on another one.
function forget() {
  latest += 1;
  stopCamera();
  root.classList.remove("busy");
  show(null);
  say("");
  props.value = null;
  trigger("clear");
}

function say(sentence) {
  status.textContent = sentence;
}

function show(file) {
  URL.revokeObjectURL(picture.src);
  picture.src = file ? URL.createObjectURL(file) : "";
  picture.dataset.name = file?.name ?? "";
  picture.hidden = !file;
  clear.hidden = !file;
  root.classList.toggle("filled", Boolean(file));
}

// Browsers cannot show every format that can be read (HEIC): the result then shows what the server made of it.
picture.addEventListener("error", () => {
  if (picture.hidden) return;
  picture.hidden = true;
  root.classList.remove("filled");
  say(`This browser shows no preview of ${picture.dataset.name}.`);
});

input.addEventListener("change", () => {
  if (input.files[0]) take(input.files[0]);
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
  if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
});

document.addEventListener("paste", (event) => {
  const file = event.clipboardData?.files[0];
  if (file && element.isConnected) take(file);
});

clear.addEventListener("click", forget);

for (const example of element.querySelectorAll(".example")) {
  example.addEventListener("click", async () => {
    const blob = await (await fetch(example.querySelector("img").src)).blob();
    take(new File([blob], example.dataset.name, { type: blob.type }));
  });
}

camera.hidden = !navigator.mediaDevices?.getUserMedia; // browsers have it on https and localhost alone
camera.addEventListener("click", async () => {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  } catch {
    return say("The camera cannot be used. Allow it in the browser, or choose a file.");
  }
  show(null);
  say("");
  video.hidden = shoot.hidden = clear.hidden = false;
  camera.hidden = true;
  root.classList.add("filled");
});

shoot.addEventListener("click", () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => take(new File([blob], "camera.png", { type: "image/png" })), "image/png");
});

function stopCamera() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  if (video.srcObject) camera.hidden = false;
  video.srcObject = null;
  video.hidden = shoot.hidden = true;
}
