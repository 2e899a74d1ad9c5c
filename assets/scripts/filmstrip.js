// Runs in Gradio's HTML component, which gives `element`: the frame that is chosen is shown large.
element.addEventListener("click", (event) => {
  const chosen = event.target.closest(".shot, .point");
  if (chosen) choose(element.querySelector(`.shot[data-frame="${chosen.dataset.frame}"]`));
});

element.addEventListener("keydown", (event) => {
  const shot = event.target.closest(".shot");
  const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
  if (!shot || !step || !shot[step]) return;
  event.preventDefault();
  shot[step].focus();
  choose(shot[step]);
});

function choose(shot) {
  for (const other of element.querySelectorAll(".shot")) other.setAttribute("aria-pressed", String(other === shot));
  const large = element.querySelector(".large");
  large.querySelector(".stage").replaceChildren(shot.querySelector(".picture").cloneNode(true));
  large.querySelector("figcaption").textContent = shot.dataset.said;
  bringIntoSight(shot);
}

// In the row alone: the page stays where it is.
function bringIntoSight(shot) {
  const row = shot?.parentElement;
  if (row) row.scrollLeft = shot.offsetLeft - row.offsetLeft - (row.clientWidth - shot.clientWidth) / 2;
}

watch("value", () => requestAnimationFrame(() => bringIntoSight(element.querySelector('.shot[aria-pressed="true"]'))));

