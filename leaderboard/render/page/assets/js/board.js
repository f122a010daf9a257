// The board: tables (sections), their rows, target groups, pairs of rows, and languages.

const data = JSON.parse(byId("board-data").textContent);
const UNITS_OF_Q = 1000;

data.languages.forEach((language, index) => Object.assign(language, { index }));
data.sections.forEach((section, number) => {
  section.id = `s${number + 1}`;
  section.rows.forEach((row, position) => Object.assign(row, { position, section }));
});
const tables = new Map(data.sections.map((section) => [section.id, section]));
const allRows = data.sections.flatMap((section) => section.rows);
const rowsByKey = new Map(allRows.map((row) => [row.key, row]));

const isKnown = (value) => value !== null && value !== undefined;
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const valueIn = (row, language) => (row.byLanguage ? row.byLanguage[language.index] : null);

/** Ascending; what has no value comes last whichever way round. */
function compare(first, second, direction = 1) {
  if (!isKnown(first) || !isKnown(second)) return isKnown(second) - isKnown(first);
  return direction * (first < second ? -1 : first > second ? 1 : 0);
}

/** Where two of `count` rows stand in the order (0, 1), (0, 2), ..., (1, 2), ... */
function pairNumber(first, second, count) {
  const [low, high] = first < second ? [first, second] : [second, first];
  return low * count - (low * (low + 1)) / 2 + (high - low - 1);
}

/** The corrected test of two rows on a target group: difference of the first less the second, and p; null: none. */
function groupTest(section, groupNumber, first, second) {
  const pairs = section.pairs[groupNumber];
  const [i, j] = pairs ? [first, second].map((row) => pairs.rows.indexOf(row.position)) : [-1, -1];
  if (i < 0 || j < 0 || i === j) return null;
  const number = pairNumber(i, j, pairs.rows.length);
  return { difference: (i < j ? 1 : -1) * pairs.differences[number], p: pairs.p[number] };
}

/** q of two rows by language index; null where they are not tested together. */
function languageTests(first, second) {
  const tests = first.section === second.section ? first.section.byLanguage : null;
  const [i, j] = tests ? [first, second].map((row) => tests.rows.indexOf(row.position)) : [-1, -1];
  if (i < 0 || j < 0 || i === j) return null;
  const q = tests.q[pairNumber(i, j, tests.rows.length)];
  return q.map((value) => (value === null ? null : value / UNITS_OF_Q));
}
