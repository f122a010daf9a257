// Every pair of the ranked rows on the target group: the row's mean less the column's, in bold where told apart.

const isApart = (test) => test !== null && isKnown(test.p) && test.p <= data.alpha;

function drawPairs() {
  const place = viewOf("pairs"), section = currentTable(), number = groupNumber(), pairs = section.pairs[number];
  const rows = pairs ? rankedRows().filter((row) => pairs.rows.includes(row.position)) : [];
  if (rows.length < 2) return nothing(place, "No two rows are tested against each other on this group.");
  const tests = rows.map((row) =>
    rows.map((column) => ({ row, column, test: groupTest(section, number, row, column) })));
  const save = button("CSV", () => download(fileName("pairs", "csv"), "text/csv", csvOf([
    { title: "row", value: ({ row }) => row.name }, { title: "column", value: ({ column }) => column.name },
    { title: "difference", value: ({ test }) => test.difference },
    { title: "corrected p", value: ({ test }) => test.p },
  ], tests.flat().filter(({ test }) => test))));
  save.setAttribute("aria-label", "CSV of every pair");
  place.replaceChildren(element("div", { class: "buttons" }, save), scrolling("Every pair", matrix(rows, tests)));
}

function matrix(rows, tests) {
  const colour = differenceColours(Math.max(...tests.flat().map(({ test }) => Math.abs(test?.difference ?? 0))));
  const head = element("tr", {}, element("th", { scope: "col" }, "Row less column"), ...rows.map((row, i) =>
    element("th", { scope: "col", title: row.name }, `${i + 1}`, element("span", { class: "quiet" }, ` ${row.name}`))));
  const lines = rows.map((row, i) => element("tr", {}, element("th", { scope: "row" }, `${i + 1} ${row.name}`),
    ...tests[i].map(({ test }) => pairCell(test, colour))));
  return element("table", { class: "matrix" }, element("caption", {}, pairsCaption(rows, tests)),
    element("thead", {}, head), element("tbody", {}, ...lines));
}

function pairsCaption(rows, tests) {
  const apart = tests.flat().filter(({ test }) => isApart(test)).length / 2;
  const count = (rows.length * (rows.length - 1)) / 2;
  return `${data.metric} of the row less that of the column on ${state.group}, in points, on the languages that all ` +
    `ranked rows have. Bold and coloured: told apart, corrected p at most ${alphaText()}: ${apart} of the ` +
    `${plural(count, "pair")} shown.`;
}

function pairCell(test, colour) {
  if (!test) return element("td", { class: "self" });
  const p = `p ${pText(test.p)}`, paint = colour(test.difference);
  const cell = element("td", { title: p }, element(isApart(test) ? "b" : "span", {}, signed(test.difference)),
    element("span", { class: "quiet" }, `, ${p}`));
  if (isApart(test)) Object.assign(cell.style, { backgroundColor: paint, color: isPale(paint) ? "#000" : "#fff" });
  return cell;
}
views.push({ uses: ["table", "group", "text"], draw: drawPairs });
