"use strict";
{
  // Everything below is drawn from this. Texts are only ever set as text, never as markup.
  const data = JSON.parse(document.getElementById("board-data").textContent);
  const LINES = 6;
  const DASHES = ["none", "7 3", "2 2", "9 3 2 3", "12 4", "4 4"];
  const MARKERS = ["M-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0z", "M-2.4 -2.4h4.8v4.8h-4.8z", "M0 -3.2L3 2.4H-3z",
    "M0 -3.4L3.2 0L0 3.4L-3.2 0z", "M-2.6 -2.6L2.6 2.6M-2.6 2.6L2.6 -2.6", "M0 3.2L3 -2.4H-3z"];
  const rows = data.sections.flatMap(({ rows: own, title }, s) => own.map((row) => Object.assign(row, { title, s })));
  const rowsByLanguage = rows.filter((row) => row.byLanguage);
  data.languages.forEach((language, i) => { language.index = i; });

  // Small helpers

  const byId = (id) => document.getElementById(id);
  const percent = (value) => (100 * value).toFixed(1);
  const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(100 * value).toFixed(1);
  const isKnown = (value) => value !== null && value !== undefined;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const percentTick = (value) => String(Math.round(1000 * value) / 10);
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  }
  const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
  const shape = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
  const text = (x, y, content, more = {}) => shape("text", { x, y, ...more }, content);
  const line = (x1, y1, x2, y2, kind) => shape("line", { x1, y1, x2, y2, class: kind });

  function shorten(label, length) {
    const letters = Array.from(label);
    return letters.length > length ? letters.slice(0, length - 1).join("") + "\u2026" : label;
  }
  const rowName = (row) => (row.sources ? `${row.label} (${row.sources})` : row.label);

  function addOptions(select, options) {
    for (const [value, label] of options) select.append(element("option", { value }, label));
  }

  /** Ascending; what has no value comes last whichever way round. */
  function compare(a, b, direction) {
    if (!isKnown(a) || !isKnown(b)) return isKnown(b) - isKnown(a);
    return direction * (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0);
  }

  // Scales

  /** Round tick values inside [low, high], about `count` of them. */
  function ticks(low, high, count) {
    const raw = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
    const values = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k += 1) values.push(k * step);
    return values;
  }

  /** The range of values to show: all values with a margin, within 0 and 1. */
  function range(values) {
    const low = Math.min(...values), high = Math.max(...values);
    const margin = Math.max(0.02, 0.06 * (high - low));
    return [Math.max(0, low - margin), Math.min(1, high + margin)];
  }
  const scale = ([low, high], from, to) => (value) => from + ((value - low) / (high - low)) * (to - from);

  // Tables: sorting

  function valueOf(cell, kind) {
    if (kind === "text") return cell.textContent.trim().toLowerCase() || null;
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  }

  /** Numbers start with the largest, texts and ranks with the first; a second press turns the order around. */
  function sortBy(table, header) {
    const { kind, column } = header.dataset;
    const first = kind === "number" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = header.getAttribute("aria-sort") === first ? other : first;
    table.querySelectorAll("[aria-sort]").forEach((node) => node.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", order);
    const direction = order === "ascending" ? 1 : -1;
    const keyed = Array.from(table.tBodies[0].rows, (row) => [valueOf(row.cells[column], kind), row]);
    keyed.sort((a, b) => compare(a[0], b[0], direction));
    table.tBodies[0].append(...keyed.map(([, row]) => row));
  }

  function makeSortable(table) {
    table.querySelectorAll("th[data-column]").forEach((header) => {
      const button = element("button", { type: "button" }, ...header.childNodes);
      button.addEventListener("click", () => sortBy(table, header));
      header.append(button);
    });
  }

  // Tables: filters

  const chosenText = () => byId("filter-text").value.trim().toLowerCase();
  function isShown(row) {
    const evidence = byId("filter-evidence").value;
    const words = `${row.label}\n${row.sources}\n${row.origin}\n${row.title}`.toLowerCase();
    return (!evidence || row.evidence === evidence) && words.includes(chosenText());
  }

  function filterTables() {
    let count = 0;
    document.querySelectorAll("section.settings").forEach((place) => {
      const section = data.sections[place.dataset.section];
      place.querySelectorAll(".board tbody tr").forEach((node) => {
        node.hidden = !isShown(section.rows[node.dataset.row]);
        count += !node.hidden;
      });
    });
    byId("shown").textContent = `${count} of ${plural(rows.length, "row")} shown${filterInWords()}.`;
    drawIntervals();
  }

  function filterInWords() {
    const words = [];
    if (chosenText()) words.push(`text \u201c${chosenText()}\u201d`);
    if (byId("filter-evidence").value) words.push(`evidence ${byId("filter-evidence").selectedOptions[0].text}`);
    return words.length ? `, filtered by ${words.join(" and ")}` : "";
  }

  function filterGroups() {
    const wanted = byId("filter-group").value;
    document.querySelectorAll("section.settings").forEach((place) => {
      const groups = data.sections[place.dataset.section].groups;
      const some = groups.some((group) => group.name === wanted);
      place.querySelectorAll("[data-group]").forEach((cell) => {
        cell.hidden = wanted !== "" && some && groups[cell.dataset.group].name !== wanted;
      });
      if (some) place.querySelector(".plot select").value = groups.findIndex((group) => group.name === wanted);
    });
    drawIntervals();
  }

  // Figures: what they have in common

  const scrolling = (name, content) =>
    element("div", { class: "scroll", role: "region", "aria-label": name, tabindex: "0" }, content);
  function figure(name, picture, caption, ...more) {
    return element("figure", {}, scrolling(`Figure: ${name}`, picture), element("figcaption", {}, caption), ...more);
  }
  function svg(width, height, title, description, parts) {
    const size = { width: Math.ceil(width), height: Math.ceil(height) };
    return shape("svg", { ...size, viewBox: `0 0 ${size.width} ${size.height}`, role: "img",
      "aria-label": `${title}. ${description}.` }, ...parts);
  }
  const hint = (content) => shape("title", {}, content);

  /** The numbers of a figure, for who does not see it. */
  function numbers(caption, headers, lines) {
    const head = element("tr", {}, ...headers.map((name) => element("th", { scope: "col" }, name)));
    const body = lines.map(([first, ...others]) => element("tr", {}, element("th", { scope: "row" }, first),
      ...others.map((value) => element("td", {}, value))));
    const table = element("table", {}, element("caption", {}, caption), element("thead", {}, head),
      element("tbody", {}, ...body));
    return element("details", {}, element("summary", {}, "The numbers of this figure"), scrolling(caption, table));
  }

  // Interval plot of one section and target group

  function setUpIntervals(place, section) {
    const select = element("select", {});
    addOptions(select, section.groups.map((group, index) => [index, group.name]));
    select.addEventListener("change", () => drawInterval(place, section));
    place.append(element("div", { class: "controls" }, element("label", {}, "Target group of the figure ", select)));
    place.append(element("div"));
  }

  function drawIntervals() {
    document.querySelectorAll("section.settings").forEach((node) =>
      drawInterval(node.querySelector(".plot"), data.sections[node.dataset.section]));
  }

  function drawInterval(place, section) {
    const target = place.lastChild, at = Number(place.querySelector("select").value), group = section.groups[at];
    const shown = section.rows.filter((row) => row.scores[at] && isShown(row));
    shown.sort((a, b) => b.scores[at].value - a.scores[at].value);
    if (!shown.length) return target.replaceChildren(element("p", {}, "No row to draw."));
    const caption = `${data.metric} on ${group.name} in per cent. Dot and thick bar: mean and two-way interval at ` +
      `${data.level}%; thin bar: bootstrap interval; hollow dot: no interval; small dots: single seeds` +
      (isKnown(group.chance) ? "; dotted line: always the most frequent class." : ".") +
      " The numbers are in the table above.";
    const title = `${data.metric} on ${group.name}, ${section.title}`;
    const picture = intervalPicture(title, group.chance, at, shown, target.clientWidth || 800);
    target.replaceChildren(figure(title, picture, caption));
  }

  function intervalPicture(title, chance, at, shown, width) {
    const narrow = width < 560, left = narrow ? 8 : Math.min(320, 0.34 * width), right = width - 92;
    const step = narrow ? 42 : 26, bottom = shown.length * step + 6;
    const scores = shown.map((row) => row.scores[at]);
    const ends = scores.flatMap((score) => [score.value, ...score.bySeed, ...(score.twoWay || []), ...(score.bootstrap || [])]);
    const domain = range([...ends, chance].filter(isKnown)), x = scale(domain, left + 6, right);
    const parts = ticks(domain[0], domain[1], narrow ? 4 : 8).flatMap((value) => [
      line(x(value), 4, x(value), bottom, "grid"),
      text(x(value), bottom + 16, percentTick(value), { class: "small", "text-anchor": "middle" }),
    ]);
    if (isKnown(chance)) parts.push(line(x(chance), 4, x(chance), bottom, "chance"));
    shown.forEach((row, i) => {
      parts.push(intervalRow(row, scores[i], i * step + step - 12, x, { narrow, left, right }));
    });
    const inWords = (i) => `${rowName(shown[i])} with ${percent(scores[i].value)}`;
    const description = `${plural(shown.length, "row")}, from ${inWords(0)} to ${inWords(shown.length - 1)}`;
    return svg(width, bottom + 28, title, description, parts);
  }

  function intervalRow(row, score, y, x, { narrow, left, right }) {
    const clip = (value) => x(Math.min(1, Math.max(0, value)));
    const bar = (ends, dy, kind) => (ends ? [line(clip(ends[0]), y + dy, clip(ends[1]), y + dy, kind)] : []);
    const caps = (score.twoWay || []).map((end) => line(clip(end), y - 4, clip(end), y + 4, "thick"));
    const name = narrow ? text(left, y - 14, shorten(rowName(row), 44))
      : text(left - 6, y + 4, shorten(rowName(row), Math.floor(left / 6.6)), { "text-anchor": "end" });
    const bare = !score.twoWay && !score.bootstrap;
    const bars = [...bar(score.bootstrap, 7, "thin"), ...bar(score.twoWay, 0, "thick"), ...caps];
    const seeds = score.bySeed.map((value) => shape("circle", { cx: x(value), cy: y + 4, r: 1.7, class: "seed" }));
    const bySeed = score.bySeed.length ? `\nby seed: ${score.bySeed.map(percent).join(", ")}` : "";
    return shape("g", {}, hint(rowName(row) + bySeed), name, ...bars, ...seeds,
      shape("circle", { cx: x(score.value), cy: y, r: 4, class: bare ? "dot hollow" : "dot" }),
      text(right + 10, y + 4, percent(score.value), { class: "strong" }),
      text(right + 44, y + 4, shorten(score.letters, 8)));
  }

  // Languages

  const LANGUAGE_FILTERS = {
    family: (language) => language.family || "not known",
    script: (language) => language.script || "not known",
    joshi: (language) => (isKnown(language.joshi) ? String(language.joshi) : "none"),
    seen: (language) => (isKnown(language.seen) ? (language.seen ? "seen" : "unseen") : "not known"),
  };
  const PANELS = [["seen", "Seen in pre-training"], ["unseen", "Not seen in pre-training"],
    ["not known", "Not known whether seen"]];

  function chosenLanguages() {
    return data.languages.filter((language) => Object.entries(LANGUAGE_FILTERS).every(([name, of]) => {
      const wanted = byId(`filter-${name}`).value;
      return !wanted || of(language) === wanted;
    }));
  }
  const valueAt = (row, language) => row.byLanguage[language.index];
  const languageName = ({ name, code }) => (name === code ? code : `${name} (${code})`);

  /** The frame of a panel of languages: grid, values at the left and codes below; every k-th code if it is tight. */
  function languagePanel(title, languages, top, domain, { width, tightest, format }) {
    const left = 44, step = Math.max(tightest, (width - left - 12) / languages.length), bottom = top + 200;
    const x = (i) => left + step * (i + 0.5), y = scale(domain, bottom, top + 22), end = left + step * languages.length;
    const code = (language, i) => text(0, 0, shorten(language.code, 12), { class: "code", "text-anchor": "end",
      transform: `translate(${(x(i) + 3.5).toFixed(1)} ${bottom + 6}) rotate(-90)` });
    const every = Math.ceil(10.4 / step);
    const parts = [text(left, top + 10, title, { class: "strong" }),
      ...ticks(domain[0], domain[1], 5).flatMap((value) => [line(left, y(value), end, y(value), "grid"),
        text(left - 6, y(value) + 4, format(value), { class: "small", "text-anchor": "end" })]),
      ...languages.map((language, i) => (i % every ? "" : code(language, i)))];
    return { parts, x, y, step, end, top: top + 22, bottom, height: 285 };
  }

  /** What shows under the pointer: one invisible column a language. */
  function hits(panel, languages, words) {
    const { top: y, bottom, step: width } = panel;
    return languages.map((language, i) => shape("rect", { x: panel.x(i) - width / 2, y, width, height: bottom - y,
      class: "hit" }, hint(words(language, i))));
  }

  // Curves by language

  function marker(k, x, y) {
    const transform = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
    return shape("path", { d: MARKERS[k], transform, class: `marker c${k + 1}` });
  }

  /** A line broken where a language has no value. */
  function curve(points, kind, dash) {
    let path = "", pen = "M";
    for (const point of points) {
      path += point ? `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}` : "";
      pen = point ? "L" : "M";
    }
    return shape("path", { d: path || "M0 0", class: kind, "stroke-dasharray": dash });
  }

  const sample = (k) => shape("svg", { class: "sample", viewBox: "0 0 52 14", "aria-hidden": "true" },
    curve([[0, 7], [52, 7]], `curve c${k + 1}`, DASHES[k]), marker(k, 26, 7));

  function chosenCurves() {
    const chosen = [];
    for (let k = 0; k < LINES; k += 1) {
      const value = byId(`curve-${k}`).value;
      if (value !== "") chosen.push({ k, row: rowsByLanguage[value] });
    }
    return chosen;
  }

  const shownAt = (row, language) => (isKnown(valueAt(row, language)) ? percent(valueAt(row, language)) : "\u2013");

  function drawCurves() {
    const place = byId("curve-figure"), chosen = chosenCurves(), order = rowsByLanguage[byId("curve-order").value];
    const hasAny = (language) => chosen.some(({ row }) => isKnown(valueAt(row, language)));
    const languages = chosenLanguages().filter(hasAny);
    if (!languages.length) return place.replaceChildren(element("p", {}, "Nothing to draw."));
    languages.sort((a, b) => compare(valueAt(order, a), valueAt(order, b), -1));
    const caption = `${data.metric} by language in per cent, mean over seeds; languages sorted by ${rowName(order)}, ` +
      "and last those that it lacks. A line is broken where a row lacks the language." +
      (languages.some(({ chance }) => isKnown(chance)) ? " Dotted: always the most frequent class." : "") +
      `${warning(chosen.map(({ row }) => row))}`;
    const lines = languages.map((language) => [languageName(language), LANGUAGE_FILTERS.seen(language),
      ...chosen.map(({ row }) => shownAt(row, language))]);
    const headers = ["Language", "Pre-training", ...chosen.map(({ row }) => rowName(row))];
    const picture = curvePicture(chosen, languages, place.clientWidth || 800);
    place.replaceChildren(figure(`${data.metric} by language`, picture, caption,
      numbers(`${data.metric} by language in per cent`, headers, lines)));
  }

  function curvePicture(chosen, languages, width) {
    const parts = chosen.map(({ k, row }, i) => shape("g", { transform: `translate(44 ${18 * i + 10})` },
      curve([[0, 0], [40, 0]], `curve c${k + 1}`, DASHES[k]), marker(k, 20, 0),
      text(48, 4, shorten(rowName(row), 60))));
    const valuesAt = (language) => [language.chance, ...chosen.map(({ row }) => valueAt(row, language))];
    const values = languages.flatMap(valuesAt);
    const domain = range(values.filter(isKnown));
    let top = 18 * chosen.length + 16, end = 0;
    for (const [kind, title] of PANELS) {
      const members = languages.filter((language) => LANGUAGE_FILTERS.seen(language) === kind);
      if (!members.length) continue;
      const panel = languagePanel(`${title}: ${plural(members.length, "language")}`, members, top, domain,
        { width, tightest: 10.4, format: percentTick });
      parts.push(...panel.parts, ...curvesOf(chosen, members, panel));
      top += panel.height;
      end = Math.max(end, panel.end);
    }
    const description = `${plural(chosen.length, "method")}, ${plural(languages.length, "language")}; ` +
      "all numbers are in the table below";
    return svg(Math.max(width, end + 12), top, `${data.metric} by language`, description, parts);
  }

  function curvesOf(chosen, members, panel) {
    const points = (of) => members.map((language, i) => {
      const value = of(language);
      return isKnown(value) ? [panel.x(i), panel.y(value)] : null;
    });
    const parts = [curve(points((language) => language.chance), "chance", "2 3")];
    for (const { k, row } of chosen) {
      const own = points((language) => valueAt(row, language));
      parts.push(curve(own, `curve c${k + 1}`, DASHES[k]), ...own.filter(Boolean).map(([x, y]) => marker(k, x, y)));
    }
    const words = (language) => [languageName(language), ...chosen.map(({ row }) =>
      `${rowName(row)}: ${shownAt(row, language)}`)].join("\n");
    return [...parts, ...hits(panel, members, words)];
  }

  /** Rows of different sections may be drawn together, but not silently. */
  function warning(chosen) {
    return new Set(chosen.map((row) => row.s)).size > 1
      ? " Rows of different sections had other data or other models: this is no controlled comparison." : "";
  }

  // Difference by language

  function drawDifference() {
    const place = byId("difference-figure");
    const [a, b] = ["a", "b"].map((which) => rowsByLanguage[byId(`difference-${which}`).value]);
    const pairs = chosenLanguages()
      .filter((language) => isKnown(valueAt(a, language)) && isKnown(valueAt(b, language)))
      .map((language) => ({ language, value: valueAt(a, language) - valueAt(b, language) }));
    if (!pairs.length) return place.replaceChildren(element("p", {}, "No language that both have."));
    pairs.sort((p, q) => q.value - p.value);
    const caption = `${data.metric} of A, ${rowName(a)}, minus that of B, ${rowName(b)}, in points. ` +
      `${differenceInWords(pairs)} ${extremes(pairs)}${warning([a, b])}`;
    const lines = pairs.map(({ language, value }) =>
      [languageName(language), shownAt(a, language), shownAt(b, language), signed(value)]);
    place.replaceChildren(figure("difference by language", differencePicture(pairs, place.clientWidth || 800), caption,
      numbers("Difference by language", ["Language", "A", "B", "A \u2212 B"], lines)));
  }

  function differenceInWords(pairs) {
    const wins = pairs.filter(({ value }) => value > 0).length, losses = pairs.filter(({ value }) => value < 0).length;
    return `A is better in ${wins}, B in ${losses}, and both are equal in ${pairs.length - wins - losses} of the ` +
      `${plural(pairs.length, "language")} that both have; mean difference ` +
      `${signed(mean(pairs.map(({ value }) => value)))} points.`;
  }

  /** The ends of the sorted list by name, because a small figure cannot label every bar. */
  function extremes(pairs) {
    const named = (some) => some.map(({ language, value }) => `${languageName(language)} ${signed(value)}`).join(", ");
    return `Most for A: ${named(pairs.slice(0, 3))}. Most for B: ${named(pairs.slice(-3).reverse())}.`;
  }

  function differencePicture(pairs, width) {
    const values = pairs.map(({ value }) => value), languages = pairs.map(({ language }) => language);
    const margin = Math.max(0.01, 0.05 * Math.max(...values.map(Math.abs)));
    const domain = [Math.min(0, ...values) - margin, Math.max(0, ...values) + margin];
    const panel = languagePanel("Above zero: A is better", languages, 0, domain,
      { width, tightest: 4, format: percentTick });
    const zero = panel.y(0);
    const bars = values.map((value, i) => shape("rect", { x: panel.x(i) - 0.38 * panel.step, width: 0.76 * panel.step,
      y: Math.min(zero, panel.y(value)), height: Math.max(0.5, Math.abs(zero - panel.y(value))),
      class: value > 0 ? "ahead" : "behind" }));
    const words = (language, i) => `${languageName(language)}: ${signed(values[i])} points`;
    return svg(Math.max(width, panel.end + 12), panel.height, "Difference by language", differenceInWords(pairs),
      [...panel.parts, ...bars, line(panel.x(-0.5), zero, panel.end, zero, "axis"), ...hits(panel, languages, words)]);
  }

  // Setting up

  function drawLanguages() {
    const count = `${chosenLanguages().length} of ${plural(data.languages.length, "language")}`;
    byId("languages-shown").textContent = `${count} chosen.`;
    drawCurves();
    drawDifference();
  }

  function onChange(draw, ...ids) {
    for (const id of ids) byId(id).addEventListener("input", draw);
  }

  function setUpTables() {
    document.querySelectorAll("section.settings").forEach((node) => {
      makeSortable(node.querySelector("table"));
      setUpIntervals(node.querySelector(".plot"), data.sections[node.dataset.section]);
    });
    const kinds = [...new Set(rows.map((row) => row.evidence))];
    addOptions(byId("filter-evidence"), kinds.map((kind) => [kind, kind.replace("_", " ")]));
    const groups = new Set(data.sections.flatMap((section) => section.groups.map((group) => group.name)));
    addOptions(byId("filter-group"), [...groups].map((name) => [name, name]));
    onChange(filterTables, "filter-text", "filter-evidence");
    onChange(filterGroups, "filter-group");
    byId("filter-interval").addEventListener("input", (event) => {
      document.body.className = `show-${event.target.value}`;
    });
  }

  /** Options for all rows with values by language, grouped by section. */
  function offerRows(select, value) {
    data.sections.forEach(({ title }, s) => {
      const group = element("optgroup", { label: title });
      rowsByLanguage.forEach((row, i) => {
        if (row.s === s) group.append(element("option", { value: i }, rowName(row)));
      });
      if (group.children.length) select.append(group);
    });
    select.value = String(value);
  }

  function setUpLanguages() {
    for (const [name, of] of Object.entries(LANGUAGE_FILTERS)) {
      const values = [...new Set(data.languages.map(of))].sort();
      addOptions(byId(`filter-${name}`), values.map((value) => [value, value]));
      onChange(drawLanguages, `filter-${name}`);
    }
    const alike = rowsByLanguage.filter((row) => row.s === rowsByLanguage[0].s).length;
    for (let k = 0; k < LINES; k += 1) {
      const select = element("select", { id: `curve-${k}` }, element("option", { value: "" }, "none"));
      offerRows(select, k < alike ? k : "");
      byId("curve-choice").append(element("label", {}, element("span", {}, `Line ${k + 1}`, sample(k)), select));
    }
    offerRows(byId("curve-order"), 0);
    offerRows(byId("difference-a"), 0);
    offerRows(byId("difference-b"), Math.min(1, rowsByLanguage.length - 1));
    onChange(drawCurves, "curve-order", ...Array.from({ length: LINES }, (_, k) => `curve-${k}`));
    onChange(drawDifference, "difference-a", "difference-b");
  }

  function unveil() {
    document.querySelectorAll("[data-js]").forEach((node) => { node.hidden = false; });
    if (rowsByLanguage.length) return;
    byId("by-language").hidden = true;
    for (const name of ["curves", "difference"]) {
      document.querySelector(`nav [href="#${name}"]`).parentNode.hidden = true;
    }
  }

  function drawAll() {
    filterTables();
    if (rowsByLanguage.length) drawLanguages();
  }

  /** Figures are drawn for the width they have, so that their letters keep their size on a phone. */
  function redrawOnResize() {
    let width = document.body.clientWidth;
    window.addEventListener("resize", () => window.requestAnimationFrame(() => {
      if (document.body.clientWidth === width) return;
      width = document.body.clientWidth;
      drawAll();
    }));
  }

  function openForPrint() {
    let closed = [];
    window.addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll("details:not([open])")];
      closed.forEach((node) => { node.open = true; });
    });
    window.addEventListener("afterprint", () => closed.forEach((node) => { node.open = false; }));
  }

  unveil();
  setUpTables();
  if (rowsByLanguage.length) setUpLanguages();
  drawAll();
  redrawOnResize();
  openForPrint();
}
