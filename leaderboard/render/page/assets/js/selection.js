// Which languages the figures by language show, and which rows: free filters, for which there are means only.

const UNKNOWN = "not known";
/** `word` is what the sentence above the figures says of a value. */
const FACETS = {
  family: { word: "family", of: (language) => language.family || UNKNOWN },
  script: { word: "script", of: (language) => language.script || UNKNOWN },
  joshi: { word: "Joshi", of: (language) => (isKnown(language.joshi) ? `class ${language.joshi}` : "no class") },
  seen: { word: "pre-training", of: ({ seen }) => (isKnown(seen) ? (seen ? "seen" : "unseen") : UNKNOWN) },
  area: { word: "region", of: (language) => language.area || UNKNOWN },
};
const OF_LANGUAGES = ["table", "group", "scope", ...Object.keys(FACETS)];

function chosenLanguages() {
  const candidates = state.scope === "group" && currentGroup()
    ? currentGroup().languages.map((index) => data.languages[index]) : data.languages;
  return candidates.filter((language) =>
    Object.entries(FACETS).every(([name, { of }]) => !state[name] || of(language) === state[name]));
}

function selectionInWords(languages) {
  const filters = Object.entries(FACETS).filter(([name]) => state[name])
    .map(([name, { word }]) => `${word} ${state[name]}`);
  const origin = state.scope === "group" ? `the target group ${state.group}` : "the task";
  const sentence = `${[`${plural(languages.length, "language")} of ${origin}`, ...filters].join(", ")}.`;
  if (state.scope === "group" && !filters.length) {
    return `${sentence} This is a declared group: its intervals and tests stand in the ranking above.`;
  }
  return `${sentence} This set was put together here: for it there are means only, no interval and no test. Those ` +
    `above are of the declared group ${state.group}.`;
}

/** Rows of the table whose texts hold what was asked for. */
function isChosen(row) {
  return `${row.name}\n${row.sources}\n${row.origin}`.toLowerCase().includes(state.text.trim().toLowerCase());
}
const chosenRows = () => currentTable().rows.filter(isChosen);

/** Best first on the target group; rows without a number on it last. */
function rankedRows() {
  const number = groupNumber();
  const valueOf = ({ scores }) => scores[number]?.ranked ?? scores[number]?.value;
  return chosenRows().sort((first, second) => compare(valueOf(first), valueOf(second), -1));
}

/** The mean of a row over some languages that it has, and how many these are. */
function meanOver(row, languages) {
  const values = languages.map((language) => valueIn(row, language)).filter(isKnown);
  return { value: values.length ? mean(values) : null, count: values.length };
}

function offerFacets() {
  for (const [name, { of }] of Object.entries(FACETS)) {
    const values = [...new Set(data.languages.map(of))].sort();
    const control = document.querySelector(`select[data-state="${name}"]`);
    control.append(...values.map((value) => element("option", { value }, value)));
  }
  views.push({ uses: OF_LANGUAGES, draw: () => {
    document.querySelector(".selection").textContent = selectionInWords(chosenLanguages());
  } });
}
