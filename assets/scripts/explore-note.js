// Runs in the note of a pane of the tab Explore, after a line with `list`, the selector of its choice of faces. What the
// note brings of that choice are small pictures: the choice itself is Gradio's, which draws its labels anew as it likes,
// so they are given to it by a style sheet. A note without any leaves them: the same choice stands there still.
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

function dress() {
  const found = element.querySelector(".face-pictures");
  if (!found) return;
  const rules = JSON.parse(found.dataset.pictures).map((uri, at) => `${list} label:nth-of-type(${at + 1}) { --picture: url("${uri}"); }`);
  sheet.replaceSync(rules.join("\n"));
}

// The photo that is waited for has arrived, or broke off: whoever is asked now knows which.
const giving = document.querySelector("#photo .giving");

function lookForArrival() {
  if (element.querySelector(".arriving") && !giving.classList.contains("busy")) trigger("arrived");
}

element.addEventListener("click", ({ target }) => {
  if (target.closest(".to-analyze")) document.querySelector("[role=tab]").click();
});
new MutationObserver(() => {
  dress();
  lookForArrival();
}).observe(element, { childList: true, subtree: true });
new MutationObserver(lookForArrival).observe(giving, { attributeFilter: ["class"] });
dress();
