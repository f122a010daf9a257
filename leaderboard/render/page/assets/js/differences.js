// Two rows language by language: A less B, sorted, filled where the corrected test tells them apart.

const isTold = (q) => isKnown(q) && q <= data.alpha;

function drawDifferences() {
  const place = viewOf("differences"), [a, b] = [rowsByKey.get(state.a), rowsByKey.get(state.b)];
  if (!a) return nothing(place, "No row has numbers by language.");
  const tests = languageTests(a, b);
  const items = chosenLanguages()
    .map((language) => ({ language, ofA: valueIn(a, language), ofB: valueIn(b, language), q: tests?.[language.index] }))
    .filter(({ ofA, ofB }) => isKnown(ofA) && isKnown(ofB))
    .map((item) => ({ ...item, value: item.ofA - item.ofB }))
    .sort((p, q) => q.value - p.value || compare(p.language.code, q.language.code));
  if (!items.length) return nothing(place, "Among the languages that are chosen there is none that both rows have.");
  const columns = [{ title: "language", value: ({ language }) => nameOf(language) },
    { title: "A", value: ({ ofA }) => ofA, text: ({ ofA }) => percent(ofA) },
    { title: "B", value: ({ ofB }) => ofB, text: ({ ofB }) => percent(ofB) },
    { title: "A less B", value: ({ value }) => value, text: ({ value }) => signed(value) },
    { title: "q", value: ({ q }) => q, text: ({ q }) => pText(q) }];
  const { picture, marks } = differencePicture(items, widthOf(place), `${a.name} less ${b.name}`);
  const caption = [differenceInWords(a, b, items), testsInWords(a, b, items, tests), extremes(items)].join(" ");
  showFigure(place, { name: "differences", picture, marks, columns, items, reach: [8, 400], caption });
}

function differenceInWords(a, b, items) {
  const ahead = items.filter(({ value }) => value > 0).length, behind = items.filter(({ value }) => value < 0).length;
  return `A, ${a.name}, less B, ${b.name}, in points: A is ahead in ${ahead}, B in ${behind} of the ` +
    `${plural(items.length, "language")} here that both have; mean ${signed(mean(items.map(({ value }) => value)))}.`;
}

function testsInWords(a, b, items, tests) {
  if (tests) {
    const told = items.filter(({ q }) => isTold(q)), inA = told.filter(({ value }) => value > 0).length;
    return `Filled: told apart, q at most ${alphaText()} (Benjamini-Hochberg over all languages of the two rows): ` +
      `A in ${inA}, B in ${told.length - inA}.`;
  }
  if (a.section === b.section) {
    return "Single languages of these two rows are not tested on this page; xlt-bench compare A B tests them.";
  }
  return "These rows stand in different tables: they had other data or other models, so this is no controlled " +
    "comparison, and nothing is tested here.";
}

/** The ends of the sorted list by name, because a small figure cannot label every bar. */
function extremes(items) {
  const named = (some) => some.map(({ language, value }) => `${nameOf(language)} ${signed(value)}`).join(", ");
  return `Most for A: ${named(items.slice(0, 3))}. Most for B: ${named(items.slice(-3).reverse())}.`;
}

function differencePicture(items, width, name) {
  const values = items.map(({ value }) => value), margin = Math.max(0.01, 0.05 * Math.max(...values.map(Math.abs)));
  const domain = [Math.min(0, ...values) - margin, Math.max(0, ...values) + margin];
  const left = 40, top = 20, bottom = 230, step = Math.min(40, Math.max(4, (width - left - 8) / items.length));
  const x = (i) => left + step * (i + 0.5), y = scale(domain, bottom, top), end = left + step * items.length;
  const grid = ticks(domain, 5).flatMap((value) => [line(left, y(value), end, y(value), "grid"),
    text(left - 6, y(value) + 4, tickText(value), { class: "small", "text-anchor": "end" })]);
  const every = Math.ceil(10.4 / step), zero = y(0);
  const codes = items.map(({ language }, i) => (i % every ? "" : text(0, 0, shorten(language.code, 12), { class: "code",
    "text-anchor": "end", transform: `translate(${rounded(x(i) + 3.5)} ${bottom + 6}) rotate(-90)` })));
  const bars = items.map(({ value, q }, i) => shape("rect", { x: rounded(x(i) - 0.38 * step),
    y: rounded(Math.min(zero, y(value))), width: rounded(0.76 * step),
    height: rounded(Math.max(0.6, Math.abs(zero - y(value)))),
    class: `${value > 0 ? "ahead" : "behind"}${isTold(q) ? " apart" : ""}` }));
  const marks = items.map(({ language, value, q }, i) => ({ x: x(i), y: y(value),
    text: () => `${nameOf(language)}: ${signed(value)} points, ${isKnown(q) ? `q ${pText(q)}` : "not tested"}` }));
  const parts = [...grid, ...bars, line(left, zero, end, zero, "axis"), ...codes,
    text(left + 4, top - 6, "above 0: A is ahead", { class: "small" })];
  const label = `${name} in ${plural(items.length, "language")}, largest first`;
  return { picture: svg(Math.max(width, end + 8), bottom + 78, label, parts), marks };
}
views.push({ uses: [...OF_LANGUAGES, "a", "b"], draw: drawDifferences });
