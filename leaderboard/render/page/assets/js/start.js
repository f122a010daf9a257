// From the static page to the living one.

/** Rows with values by language, by table: A and B may be of different ones, and then the page says so. */
function offerRows(control) {
  for (const section of data.sections) {
    const offered = section.rows.filter((row) => row.byLanguage);
    const options = offered.map((row) => element("option", { value: row.key }, row.name));
    if (options.length) control.append(element("optgroup", { label: section.title }, ...options));
  }
}

function unveil() {
  document.querySelectorAll("[data-js]").forEach((node) => { node.hidden = false; });
  document.querySelectorAll("[data-static]").forEach((node) => { node.hidden = true; });
  const hasLanguages = allRows.some((row) => row.byLanguage);
  for (const name of ["languages", "two"]) {
    byId(name).hidden = !hasLanguages;
    document.querySelector(`.views [href="#${name}"]`).parentNode.hidden = !hasLanguages;
  }
}

/** Figures are drawn for the width they have, so that their letters keep their size on a phone. */
function drawAnewOnChange() {
  let width = document.body.clientWidth;
  window.addEventListener("resize", () => window.requestAnimationFrame(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    drawAnew();
  }));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAnew);
}

/** On paper nothing can be opened; the numbers of figures would be many pages and stay closed. */
function openForPrint() {
  let closed = [];
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll(".row-details").forEach(fillDetails);
    closed = [...document.querySelectorAll("details:not([open]):not(.numbers)")];
    closed.forEach((node) => { node.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((node) => { node.open = false; }));
}

if (data.sections.length) {
  unveil();
  setUpTables();
  offerFacets();
  document.querySelectorAll('select:is([data-state="a"], [data-state="b"])').forEach(offerRows);
  bindControls();
  followLinks();
  fillWhenOpened();
  window.addEventListener("hashchange", () => { const address = fromAddress(); if (address) change(address); });
  const address = Object.entries(fromAddress() ?? {}).filter(([name]) => Object.hasOwn(state, name));
  Object.assign(state, Object.fromEntries(address));
  if (state.a || state.b) choosePair();
  mend();
  draw();
  window.addEventListener("load", () => setTimeout(showRow));  // after the browser has moved to what the address names
  drawAnewOnChange();
  openForPrint();
}
