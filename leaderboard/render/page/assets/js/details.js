// A row in detail: its facts are in the page already, its numbers on every target group are added when it is opened.

const INTERVALS = [["two-way", "Two-way interval"], ["bootstrap", "Bootstrap interval"],
  ["seeds", "Interval over seeds"]];

function fillDetails(details) {
  const row = rowsByKey.get(details.id.slice("row-".length));
  if (!row || details.querySelector("table")) return;
  const items = row.section.groups.map((group, number) => ({ group, ...row.scores[number] }))
    .filter(({ value }) => isKnown(value));
  const kinds = INTERVALS.filter(([kind]) => items.some((item) => item[kind]));
  const columns = [{ title: "Target group", value: ({ group }) => group.name },
    { title: "Mean", value: ({ value }) => percent(value) },
    ...kinds.map(([kind, title]) => ({ title, value: (item) => item[kind]?.map(percent).join(" to ") })),
    { title: "Rank", value: ({ rank }) => rank || undefined },
    { title: "Letters", value: ({ letters }) => letters || undefined },
    { title: "Languages",
      value: ({ languages, missing }) => (missing ? `${languages} of ${languages + missing}` : languages) },
    { title: "By seed", value: ({ bySeed }) => bySeed.map(percent).join(", ") || undefined }];
  details.append(items.length ? scrolling(`Numbers of ${row.name}`, numberTable(row.name, columns, items))
    : element("p", {}, "No number on any target group."));
}

function fillWhenOpened() {
  for (const details of document.querySelectorAll(".row-details")) {
    details.addEventListener("toggle", () => fillDetails(details));
  }
}

/** Open the row that was chosen, and bring it into sight. */
function showRow() {
  const details = byId(`row-${state.row}`);
  if (!details) return;
  details.open = true;
  details.scrollIntoView({ block: "start" });
  details.querySelector("summary").focus({ preventScroll: true });
}

/** A link within the page leaves in the address what is chosen. */
function followLinks() {
  document.addEventListener("click", (event) => {
    const address = event.target.closest?.('a[href^="#"]')?.getAttribute("href").slice(1);
    if (!address || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (address.startsWith("row-")) return change({ row: address.slice("row-".length) });
    const target = byId(address);
    target.scrollIntoView();
    target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
  });
}
