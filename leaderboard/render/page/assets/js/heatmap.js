// Languages by rows: every mean by language, in bands of family, script, class, pre-training or region.

const LINE = 16;
const LONGEST_COLUMN = 26;
const MARGIN = 8;

function drawHeatmap() {
  const place = viewOf("heatmap"), languages = chosenLanguages();
  const rows = rankedRows().filter((row) => languages.some((language) => isKnown(valueIn(row, language))));
  if (!rows.length) return nothing(place, "No row of this table has numbers in these languages.");
  const entries = heatmapEntries(languages, rows);
  const layout = heatmapLayout(entries, rows, widthOf(place)), { width, height, top } = layout;
  const means = entries.flatMap(({ members }) => rows.map((row) => meanOver(row, members).value));
  const domain = roundRange(means.filter(isKnown));
  const colour = scoreColours(domain), head = heatmapHead(rows, layout, domain, colour);
  const cells = entries.flatMap((entry) => cellsOf(entry, rows, layout, colour));
  const name = `${data.metric} of ${plural(rows.length, "row")} in ${plural(languages.length, "language")}`;
  const body = [...entries.map((entry) => heatmapLabel(entry, layout)), ...cells.flatMap(({ nodes }) => nodes)];
  const copies = [...head, ...body].map((node) => node.cloneNode(true));
  const below = shape("g", { transform: `translate(0 ${top})` }, ...copies.splice(head.length));
  const stays = svg(width, top, `Columns: ${rows.map((row) => row.name).join("; ")}`, head);
  stays.setAttribute("class", "stays");
  showFigure(place, { name: "heat map", head: stays, picture: svg(width, height, name, body),
    whole: svg(width, top + height, name, [...copies, below]), marks: cells, reach: [layout.cell / 2 + 1, 9],
    columns: heatmapColumns(rows), items: entries, caption: heatmapCaption() });
}

function heatmapCaption() {
  return `${data.metric} in per cent, mean over seeds; the columns are the rows of the table, best first on ` +
    `${state.group}. Bold lines are means over the languages below them: means only, no interval and no test. ` +
    "*: of those alone that the row has, so not to be held against its neighbours. Empty: no number.";
}

function heatmapColumns(rows) {
  const ofRow = (row) => ({ title: row.name, value: ({ members }) => meanOver(row, members).value,
    text: ({ members }) => meanInWords(meanOver(row, members), members) });
  return [{ title: "language", value: ({ label }) => label },
    { title: "languages", value: ({ members }) => members.length }, ...rows.map(ofRow)];
}

/** A mean over fewer languages than it stands for bears a star, as on the board. */
const meanInWords = ({ value, count }, members) =>
  percent(value) + (count && count < members.length ? "*" : "");

/** The mean of all first; then each band with its mean, and its languages, the easiest first. */
function heatmapEntries(languages, rows) {
  const ease = new Map(languages.map((language) => {
    const values = rows.map((row) => valueIn(row, language)).filter(isKnown);
    return [language, values.length ? mean(values) : null];
  }));
  const order = state.order === "name" ? (p, q) => compare(p.name, q.name)
    : (p, q) => compare(ease.get(p), ease.get(q), -1);
  const single = (members) => [...members].sort(order)
    .map((language) => ({ label: nameOf(language), short: language.name, members: [language], isBand: false }));
  const all = { label: `all ${languages.length} chosen`, members: languages, isBand: true };
  const bands = Object.hasOwn(FACETS, state.order) ? bandsOf(languages, FACETS[state.order]) : null;
  if (!bands) return [all, ...single(languages)];
  return [all, ...bands.flatMap(([label, members]) =>
    [{ label: `${label} (${members.length})`, members, isBand: true }, ...single(members)])];
}

/** Classes in their order, other bands the largest first. */
function bandsOf(languages, facet) {
  const bands = new Map();
  for (const language of languages) bands.set(facet.of(language), [...(bands.get(facet.of(language)) ?? []), language]);
  return [...bands].sort(([p, inP], [q, inQ]) =>
    (facet === FACETS.joshi ? compare(p, q) : inQ.length - inP.length || compare(p, q)));
}

/** Places of lines and columns; a band stands a little off the one before it. */
function heatmapLayout(entries, rows, width) {
  const left = Math.min(230, Math.max(104, 0.26 * width));
  const cell = Math.min(60, Math.max(10.5, (width - left - MARGIN) / rows.length));
  const longest = Math.max(...rows.map(({ name }) => Array.from(name).length));
  let y = 0;
  for (const entry of entries) {
    entry.y = y + (entry.isBand ? 6 : 0);
    y = entry.y + LINE;
  }
  const top = 44 + 6.2 * Math.min(LONGEST_COLUMN, longest);
  return { left, cell, top, height: y + 4, width: Math.max(width, left + cell * rows.length + MARGIN) };
}

function heatmapHead(rows, { left, cell, top }, domain, colour) {
  const place = (i) => `translate(${rounded(left + cell * (i + 0.5) + 4)} ${rounded(top - 6)}) rotate(-90)`;
  const names = rows.map((row, i) =>
    text(0, 0, shorten(row.name, LONGEST_COLUMN), { class: "column", transform: place(i) }));
  return [legend(8, 16, left - 34, domain, colour, "per cent"), ...names];
}

/** On a phone a language's code has no place beside its name. */
function heatmapLabel({ label, short = label, isBand, y }, { left }) {
  const letters = Math.floor((left - 8) / (isBand ? 7 : 6.3));
  const words = shorten(left < 150 ? short : label, letters);
  return text(left - 6, y + 12, words, { class: isBand ? "band" : "label", "text-anchor": "end" });
}

/** The cells of one line, each with the mark by which it is read. */
function cellsOf({ label, members, isBand, y }, rows, { left, cell }, colour) {
  return rows.flatMap((row, i) => {
    const { value, count } = meanOver(row, members), x = left + cell * i;
    if (!isKnown(value)) return [];
    const fill = colour(value), kind = `cell ${isPale(fill) ? "on-pale" : "on-deep"}${isBand ? " strong" : ""}`;
    const nodes = [shape("rect", { x: rounded(x), y, width: rounded(cell - 0.6), height: LINE - 0.6, fill })];
    if (cell >= 30) nodes.push(text(x + cell / 2, y + 11.5, meanInWords({ value, count }, members),
      { class: kind, "text-anchor": "middle" }));
    const words = isBand ? `, mean of ${count} of ${plural(members.length, "language")}` : "";
    const sentence = () => `${label}, ${row.name}: ${percent(value)}${words}`;
    return [{ nodes, x: x + cell / 2, y: y + LINE / 2, text: sentence }];
  });
}
views.push({ uses: [...OF_LANGUAGES, "text", "order"], draw: drawHeatmap });
