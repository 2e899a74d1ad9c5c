// One face in the tab Explore. The parts around this are in the files explore-*.js, which stand before it; `begin` is
// called by the component's own line of script, with what Gradio's HTML component gives.
const EAGER_BYTES = 12 * 2 ** 20; // of attention: more than that comes block by block, as it is asked for
const GONE = "This photo is no longer kept by the server. Give it again in the tab Analyze.";

async function postQuestion(question) {
  const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question) };
  try {
    const answer = await fetch("gradio_api/erase", asked);
    const said = await answer.json();
    return answer.ok ? said : { error: said.detail };
  } catch {
    return { error: "The server did not answer. Try again." };
  }
}

async function decoded(uri) {
  const picture = new Image();
  picture.src = uri;
  await picture.decode();
  return picture;
}

function begin({ element, props, trigger, watch }) {
  const root = element.querySelector(".explorer");
  const find = (selector) => root.querySelector(selector);
  const [fetching, progress, fetched, failed] = [".fetching", ".fetching progress", ".fetched", ".failed"].map(find);
  let [wanted, isFetching, latest, judged] = [[], false, 0, Promise.resolve()];

  const explorer = {
    face: null,
    attention: null,
    picture: new Image(),
    fillings: {}, // pictures of all of the face, as it stands in for patches that are rubbed out
    find,
    // Blocks that something waits for come first.
    need(blocks) {
      wanted = [...new Set([...blocks.filter((block) => !explorer.attention.has(block)), ...wanted])];
      fetchBlocks();
    },
    tellSource: (patch) => {
      parts.heads.draw(patch);
      parts.heads.mark(parts.look.state);
    },
    tellBlock: (block) => parts.lens.follow(block),
    chooseBlock: (block) => parts.look.chooseBlock(block),
    chooseHead(block, head) {
      parts.look.choose(block, head);
      explorer.goTo(".look");
    },
    goTo: (part) => goTo(find(part)),
    nameOf(patch) {
      const columns = explorer.face.grid[1];
      return `${explorer.face.patches[patch]} (row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1})`;
    },
    // The answer to a part's question, in short, above all parts.
    tellShort(part, words) {
      find(`.short-${part}`).textContent = words;
    },
    // Where a patch lies, for a face with another grid.
    placeOf(patch) {
      const [rows, columns] = explorer.face.grid;
      return patch === null ? null : [(Math.floor(patch / columns) + 0.5) / rows, ((patch % columns) + 0.5) / columns];
    },
    patchAt(place) {
      const [rows, columns] = explorer.face.grid;
      return place && Math.floor(place[0] * rows) * columns + Math.floor(place[1] * columns);
    },
    link(change) {
      document.dispatchEvent(new CustomEvent("explore-link", { detail: { from: root, change } }));
    },
    // p of fake and the outcome, or an error in words; one question after the other.
    judgeWithout(question) {
      judged = judged.then(() => postQuestion(question));
      return judged;
    },
    ask(event, question) {
      root.dataset.request = JSON.stringify(question);
      trigger(event);
    },
  };
  const parts = { look: lookPart(explorer), lens: lensPart(explorer), rub: rubPart(explorer), heads: headsPart(explorer) };

  async function show() {
    const face = props.value;
    if (!face) parts.rub.forget(); // the photo was taken away
    if (!face || face.key === explorer.face?.key) return;
    const own = ++latest;
    parts.look.stop();
    const names = Object.keys(face.fillings);
    const [picture, ...fillings] = await Promise.all([face.picture, ...Object.values(face.fillings)].map(decoded));
    if (own !== latest) return;
    explorer.picture = picture;
    explorer.fillings = Object.fromEntries(names.map((name, at) => [name, fillings[at]]));
    const pooling = { ...face.pooling, values: floatsOf(face.pooling.values) };
    explorer.face = face;
    explorer.attention = new Attention({ ...face.attention, grid: face.grid, numTokens: face.num_tokens, pooling });
    failed.hidden = true;
    find(".whose h3").textContent = face.title;
    find(".whose").style.setProperty("--tone", face.tones[face.outcome].colour);
    find(".whose-said").textContent = face.said;
    find(".python").textContent = face.python;
    root.dataset.key = face.key;
    [wanted, isFetching] = [[], false];
    for (const part of ["heads", "look", "lens", "rub"]) parts[part].show();
    const { blocks, bytesOfBlock } = explorer.attention;
    const all = [...Array(blocks).keys()].reverse();
    explorer.need(blocks * bytesOfBlock > EAGER_BYTES ? all.slice(0, 1) : all);
    explorer.link({ joined: true }); // another pane beside it says what it shows
    if (root.dataset.pane === "explore-beside") goTo(root.closest("#explore-panes")); // it was asked for below them
  }

  function goTo(place) {
    place.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  async function fetchBlocks() {
    if (isFetching) return;
    isFetching = true;
    const own = latest;
    const { attention, face } = explorer;
    while (wanted.length && own === latest) {
      const block = wanted.shift();
      if (attention.has(block)) continue;
      try {
        const bytes = await fetchBlock(face.attention.url, block, attention.bytesOfBlock);
        if (own !== latest) return;
        attention.take(block, bytes);
      } catch {
        if (own === latest) [isFetching, failed.hidden, failed.textContent, fetching.hidden] = [false, false, GONE, true];
        return;
      }
      tellProgress();
      parts.look.draw();
      await new Promise((resolve) => setTimeout(resolve)); // the page stays at hand meanwhile
      if (own !== latest) return; // another face, with fewer blocks perhaps, is shown
      parts.heads.take(block);
    }
    if (own === latest) isFetching = false;
  }

  async function fetchBlock(url, block, length) {
    const answer = await fetch(url, { cache: "no-store", headers: { Range: `bytes=${block * length}-${(block + 1) * length - 1}` } });
    if (answer.status !== 206) throw new Error(String(answer.status));
    const bytes = await answer.arrayBuffer();
    if (bytes.byteLength !== length) throw new Error("cut off");
    return bytes;
  }

  function tellProgress() {
    const here = explorer.attention.codes.filter(Boolean).length;
    const { blocks, bytesOfBlock } = explorer.attention;
    progress.value = here / blocks;
    wanted = wanted.filter((block) => !explorer.attention.has(block)); // one was asked for again on its way
    fetching.hidden = !wanted.length;
    fetched.textContent = `Attention of ${here} of ${blocks} blocks, ${((here * bytesOfBlock) / 2 ** 20).toFixed(1)} MiB`;
    root.dataset.blocks = here;
  }

  document.addEventListener("explore-link", ({ detail }) => {
    if (detail.from !== root && root.isConnected && explorer.attention) parts.look.follow(detail.change);
  });
  find(".save").addEventListener("click", () => saveView(explorer, parts.look.view()));
  find(".copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText(find(".python").textContent);
    find(".copy").textContent = "Copied";
  });

  // Alone on a phone, or beside another: by its own width. Gradio drops a style sheet's rules for containers.
  new ResizeObserver(() => {
    if (!root.clientWidth) return;
    root.classList.toggle("narrow", root.clientWidth < 700);
    root.classList.toggle("medium", root.clientWidth < 960);
    root.classList.toggle("tiny", root.clientWidth < 260);
  }).observe(root);
  watch("value", show);
  watch("flipping", () => parts.rub.takeFlipping(props.flipping));
  show();
}
