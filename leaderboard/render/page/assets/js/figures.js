// What all figures have: buttons, the picture, what is pointed at, a caption, and the numbers for who does not see it.

const INVITATION = "Point at the figure, or move through it with the arrow keys, to read single values.";

/**
 * Columns say how an item is written: `value` as a file has it, `text` as the page has it.
 *
 * @param head a picture that stays in sight above the other one while that is scrolled.
 * @param whole the picture as it is saved, where that is not the one shown.
 */
function showFigure(place, { name, picture, head, whole = picture, caption, columns, items, marks, reach }) {
  const readout = element("p", { class: "readout", role: "status" }, INVITATION);
  const buttons = element("div", { class: "buttons" },
    button("CSV", () => download(fileName(name, "csv"), "text/csv", csvOf(columns, items))),
    button("SVG", () => download(fileName(name, "svg"), "image/svg+xml", svgOf(whole))));
  explorable(picture, readout, marks, reach);
  for (const node of buttons.children) node.setAttribute("aria-label", `${node.textContent} of ${name}`);
  place.replaceChildren(element("figure", {}, buttons,
    element("div", { class: "scroll" }, ...(head ? [head] : []), picture), readout,
    element("figcaption", {}, caption), numbersOf(name, columns, items)));
}

/** The numbers as a table, made when somebody opens it. */
function numbersOf(name, columns, items) {
  const details = element("details", { class: "numbers" }, element("summary", {}, "The numbers of this figure"));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    details.append(scrolling(name, numberTable(name, columns, items)));
  });
  return details;
}

function numberTable(name, columns, items) {
  const head = element("tr", {}, ...columns.map(({ title }) => element("th", { scope: "col" }, title)));
  const written = (item, column) => String(column.text ? column.text(item) : column.value(item) ?? "\u2013");
  const lines = items.map((item) => element("tr", {}, ...columns.map((column, number) =>
    element(number ? "td" : "th", number ? {} : { scope: "row" }, written(item, column)))));
  return element("table", {}, element("caption", {}, `Numbers: ${name}`), element("thead", {}, head),
    element("tbody", {}, ...lines));
}

const scrolling = (name, content) =>
  element("div", { class: "scroll", role: "region", "aria-label": name, tabindex: "0" }, content);
const nothing = (place, sentence) => place.replaceChildren(element("p", { class: "nothing" }, sentence));
const viewOf = (name) => document.querySelector(`.view[data-view="${name}"]`);
const widthOf = (place) => place.clientWidth || 800;
