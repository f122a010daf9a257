// What is chosen, kept in the address: #table=s1&group=unseen&a=... The default of each is left out.

const DEFAULTS = { text: "", interval: data.interval, wide: "", scope: "group", family: "", script: "", joshi: "",
  seen: "", area: "", order: "family", show: "difference" };
const state = { ...DEFAULTS, table: "s1", group: "", a: "", b: "", row: "" };
const views = [];
let appearance = 0;

const currentTable = () => tables.get(state.table);
const groupNumber = () => currentTable().groups.findIndex((group) => group.name === state.group);
const currentGroup = () => currentTable().groups[groupNumber()];

/** Whatever an address says, each value is one that there is. */
function mend() {
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const control = document.querySelector(`select[data-state="${name}"]`);
    if (control && ![...control.options].some((option) => option.value === state[name])) state[name] = value;
  }
  if (rowsByKey.has(state.row)) state.table = rowsByKey.get(state.row).section.id;
  else state.row = "";
  if (!tables.has(state.table)) state.table = "s1";
  const { groups, opening, rows } = currentTable();
  if (!groups.some((group) => group.name === state.group)) state.group = groups.length ? groups[opening].name : "";
  const candidates = [...rows, ...allRows].filter((row) => row.byLanguage);
  if (!rowsByKey.get(state.a)?.byLanguage) state.a = candidates[0]?.key ?? "";
  if (!rowsByKey.get(state.b)?.byLanguage) state.b = candidates.find((row) => row.key !== state.a)?.key ?? state.a;
}

/** What an address says. One with choices says all of them, whatever is chosen now; an anchor says one thing alone. */
function fromAddress() {
  const address = location.hash.slice(1);
  if (address.startsWith("row-")) return { row: address.slice(4) };
  if (tables.has(address)) return { table: address };
  if (!address.includes("=")) return null;
  return { ...DEFAULTS, table: "s1", group: "", row: "", ...Object.fromEntries(new URLSearchParams(address)) };
}

function toAddress() {
  const table = currentTable();
  const usual = { ...DEFAULTS, table: "s1", group: table.groups[table.opening]?.name, row: "" };
  const pairs = Object.entries(state).filter(([name, value]) => value !== usual[name] && chosen.has(name));
  history.replaceState(null, "", pairs.length ? `#${new URLSearchParams(pairs)}` : location.pathname + location.search);
}
/** What may stand in the address: A and B only once somebody has chosen one of them. */
const chosen = new Set([...Object.keys(DEFAULTS), "table", "group", "row"]);
const choosePair = () => ["a", "b"].forEach((name) => chosen.add(name));

/** Take over what was chosen, and draw what it concerns. */
function change(patch) {
  for (const [name, value] of Object.entries(patch)) {
    if (Object.hasOwn(state, name)) state[name] = value;
  }
  if ("a" in patch || "b" in patch) choosePair();
  if ("table" in patch) for (const name of ["a", "b", "row"]) state[name] = patch[name] ?? "";
  mend();
  toAddress();
  draw();
  if (patch.row) showRow();
}

/** Each view says what it depends on, and is drawn where that is no longer what it was. */
function draw() {
  for (const control of document.querySelectorAll("[data-state]")) {
    const value = state[control.dataset.state];
    if (control.type === "checkbox") control.checked = value !== "";
    else if (control.value !== value) control.value = value;
  }
  for (const view of views) {
    const key = JSON.stringify([appearance, ...view.uses.map((name) => state[name])]);
    if (view.key !== key) view.draw();
    view.key = key;
  }
}

/** Width or colours have changed: everything is drawn anew. */
function drawAnew() {
  appearance += 1;
  draw();
}

function bindControls() {
  for (const control of document.querySelectorAll("[data-state]")) {
    control.addEventListener("input", () => {
      const value = control.type === "checkbox" ? (control.checked ? "yes" : "") : control.value;
      change({ [control.dataset.state]: value });
    });
  }
}
