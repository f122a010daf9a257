// CSV of the numbers and SVG of the picture, made here: nothing leaves the page.

function download(name, kind, content) {
  const address = URL.createObjectURL(new Blob([content], { type: kind }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
const fileName = (figure, ending) =>
  `${[data.task, state.group, figure].join("-").replace(/[^A-Za-z0-9_.-]+/g, "-")}.${ending}`;

/** Quoted where need be; what a spreadsheet would take for a formula gets an apostrophe in front. */
function csvCell(value) {
  const cell = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Scores and differences as fractions, as all files of xlt-bench have them. */
function csvOf(columns, items) {
  const lines = [columns.map(({ title }) => title), ...items.map((item) => columns.map(({ value }) => value(item)))];
  return lines.map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

/** The rules of this page for pictures, with its colours written out, so that the file stands alone. */
function pictureRules() {
  const resolved = (rule) => rule.replace(/var\((--[\w-]+)\)/g, (_, name) => variable(name));
  const rules = [...document.styleSheets[0].cssRules].filter(({ selectorText }) => selectorText?.startsWith("svg"));
  const whole = `svg { font-family: sans-serif; background: ${variable("--paper")} }`;
  return [whole, ...rules.map(({ cssText }) => resolved(cssText))].join("\n");
}

function svgOf(picture) {
  const copy = picture.cloneNode(true);
  copy.querySelectorAll(".cursor").forEach((node) => node.remove());
  copy.removeAttribute("tabindex");
  copy.prepend(shape("style", {}, pictureRules()));
  return `${new XMLSerializer().serializeToString(copy)}\n`;
}
