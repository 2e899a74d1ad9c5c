// The tab that is open stands in the page's address: Back leads to the tab before instead of away from the page and all
// that it holds, a reload stays in the tab, and a link may lead to one (`/#compare`). Nothing else of a visit stands there.
(() => {
  const tabs = () => [...document.querySelectorAll("[role=tab]")];
  const hashOf = (tab) => `#${tab.textContent.trim().toLowerCase()}`;
  const isOpen = (tab) => tab.getAttribute("aria-selected") === "true";
  const asked = () => tabs().find((tab) => hashOf(tab) === location.hash) ?? tabs()[0];

  function follow() {
    if (!isOpen(asked())) asked().click();
  }

  function note() {
    const open = tabs().find(isOpen);
    if (open && open !== asked()) history.pushState(null, "", hashOf(open));
  }

  const arrival = new MutationObserver(() => {
    if (!tabs().length) return;
    arrival.disconnect();
    follow();
    new MutationObserver(note).observe(tabs()[0].closest("[role=tablist]"), { subtree: true, attributeFilter: ["aria-selected"] });
    addEventListener("popstate", follow);
  });
  arrival.observe(document, { childList: true, subtree: true });
})();
