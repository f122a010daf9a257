// The tables, which the page holds already: which one is shown, its group, its rows and their order.

/** One table at a time, one target group at a time or all side by side. */
function showTable() {
  const number = groupNumber();
  for (const section of data.sections) {
    const place = byId(section.id);
    place.hidden = section.id !== state.table;
    if (place.hidden) continue;
    place.querySelectorAll("[data-group]").forEach((cell) => {
      cell.hidden = !state.wide && Number(cell.dataset.group) !== number;
    });
    place.querySelectorAll(".board tbody tr").forEach((node) => {
      const row = section.rows[node.dataset.row];
      node.hidden = !isChosen(row) || (!state.wide && !row.scores[number]);
    });
    sayWithout(place, section.rows.filter((row) => isChosen(row) && !row.scores[number]));
  }
  document.body.className = `show-${state.interval}`;
}

/** Rows that have nothing to say on a group are named instead of shown as a line of dashes. */
function sayWithout(place, rows) {
  const node = place.querySelector(".without");
  node.textContent = rows.length ? `Without a number on ${state.group}: ${listed(rows.map(({ name }) => name))}.` : "";
  node.hidden = !rows.length || state.wide !== "";
}

function cellValue(cell, kind) {
  if (kind === "text") return cell.textContent.trim().toLowerCase() || null;
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
}

/** Numbers start with the largest, texts and ranks with the first; a second press turns the order around. */
function sortBy(table, header) {
  const { kind, column } = header.dataset;
  const first = kind === "number" ? "descending" : "ascending";
  const opposite = first === "ascending" ? "descending" : "ascending";
  const order = header.getAttribute("aria-sort") === first ? opposite : first;
  table.querySelectorAll("[aria-sort]").forEach((node) => node.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", order);
  const keyed = Array.from(table.tBodies[0].rows, (row) => [cellValue(row.cells[column], kind), row]);
  keyed.sort((first_pair, second_pair) => compare(first_pair[0], second_pair[0], order === "ascending" ? 1 : -1));
  table.tBodies[0].append(...keyed.map(([, row]) => row));
}

function makeSortable(table) {
  table.querySelectorAll("th[data-column]").forEach((header) => {
    const sort = element("button", { type: "button" }, ...header.childNodes);
    sort.addEventListener("click", () => sortBy(table, header));
    header.append(sort);
  });
}

/** Best first on the group that is shown. */
function sortByGroup() {
  const table = byId(state.table).querySelector("table.board");
  const header = table?.querySelector(`th[data-group="${groupNumber()}"][data-kind="number"]`);
  if (!header) return;
  header.removeAttribute("aria-sort");
  sortBy(table, header);
}

// Target groups by tab

function showTabs() {
  const list = document.querySelector(".tabs");
  list.replaceChildren(...currentTable().groups.map((group, number) => {
    const selected = group.name === state.group;
    const tab = element("button", { type: "button", role: "tab", id: `tab-${number}`, "aria-controls": "panel",
      "aria-selected": selected, tabindex: selected ? 0 : -1 }, element("bdi", {}, group.name),
    element("small", {}, `${group.size}${group.primary ? ", primary" : ""}`));
    tab.addEventListener("click", () => chooseTab(number));
    return tab;
  }));
  byId("panel").setAttribute("aria-labelledby", `tab-${groupNumber()}`);
}

function chooseTab(number) {
  change({ group: currentTable().groups[number].name });
  byId(`tab-${number}`).focus();
}

function setUpTables() {
  document.querySelectorAll("table.board").forEach(makeSortable);
  document.querySelector('select[data-state="table"]').append(
    ...data.sections.map(({ id, title }) => element("option", { value: id }, title)));
  document.querySelector(".table-choice").hidden = data.sections.length < 2;
  byId("panel").setAttribute("role", "tabpanel");
  document.querySelector(".tabs").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], count = currentTable().groups.length;
    if (step) chooseTab((groupNumber() + step + count) % count);
  });
  views.push({ uses: ["table", "group"], draw: showTabs });
  views.push({ uses: ["table", "group", "text", "wide", "interval"], draw: showTable });
  views.push({ uses: ["table", "group"], draw: sortByGroup });
}
