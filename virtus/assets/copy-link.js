// Gradio runs it with the values of a tab's settings; LINK is [tab, names, usual values]. It answers what the page says.
async (...values) => {
  const [tab, names, usual] = LINK;
  const url = new URL(location.origin + location.pathname);
  const text = (value) => (typeof value === "boolean" ? String(Number(value)) : String(value));
  url.searchParams.set("tab", tab);
  names.forEach((name, index) => {
    if (text(values[index]) !== text(usual[index])) url.searchParams.set(name, text(values[index]));
  });
  let copied = true;
  try {
    await navigator.clipboard.writeText(url.href); // there on https and localhost alone
  } catch {
    const field = document.createElement("textarea");
    field.value = url.href;
    document.body.append(field);
    field.select();
    copied = document.execCommand("copy");
    field.remove();
  }
  const shown = url.href.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const said = `${copied ? "Copied" : "Copy it from here"}: the settings that were changed, and nothing of a photo.`;
  return `<p class="fine" role="status">${said}</p><input class="link" readonly aria-label="The link" value="${shown}">`;
}
