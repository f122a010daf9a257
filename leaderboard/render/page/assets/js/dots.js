// The ranking: a dot a row with its intervals and its seeds, best first on the target group.

function drawDots() {
  const place = viewOf("dots"), number = groupNumber(), group = currentGroup(), width = widthOf(place);
  sayFinding(group);
  const dots = rankedRows().map((row) => ({ row, ...row.scores[number] })).filter(({ value }) => isKnown(value));
  if (!dots.length) return nothing(place, "No row to draw.");
  const { picture, marks } = dotsPicture(dots, group, width);
  showFigure(place, { name: "ranking", picture, marks, reach: [width, 15], columns: dotColumns(), items: dots,
    caption: dotsCaption(dots, group) });
}

/** What is known on this group, where the sentence at the top of the page does not say it already. */
function sayFinding(group) {
  const node = document.querySelector(".finding"), sentence = group?.finding ?? "";
  node.textContent = group?.exploratory ? `${sentence} (Exploratory: no group declared beforehand.)` : sentence;
  node.hidden = sentence === document.querySelector(".lead").textContent;
}

function dotColumns() {
  const ends = ["two-way", "bootstrap"].flatMap((kind) => ["low", "high"].map((title, end) => ({
    title: `${kind} ${title}`, value: (dot) => dot[kind]?.[end], text: (dot) => percent(dot[kind]?.[end]) })));
  return [{ title: "row", value: ({ row }) => row.name },
    { title: "mean", value: ({ value }) => value, text: ({ value }) => percent(value) }, ...ends,
    { title: "letters", value: ({ letters }) => letters },
    { title: "by seed", value: ({ bySeed }) => bySeed.join(" "),
      text: ({ bySeed }) => bySeed.map(percent).join(", ") }];
}

function dotsCaption(dots, group) {
  const parts = [`${data.metric} on ${group.name}, ${plural(group.size, "language")}, in per cent, best first.`];
  const some = (test, sentence) => { if (dots.some(test)) parts.push(sentence); };
  some((dot) => dot["two-way"], "Bar: two-way interval.");
  some(({ bootstrap }) => bootstrap, "Thin bar: bootstrap.");
  some(({ bySeed }) => bySeed.length, "Small dots: single seeds.");
  some((dot) => !dot["two-way"], "Hollow: a published value, without interval or test.");
  some(({ letters }) => letters, "Rows that share a letter are not told apart; in parentheses: one run, no verdict.");
  if (isKnown(group.chance)) parts.push("Dotted line: always the most frequent class.");
  return parts.join(" ");
}

function dotsPicture(dots, group, width) {
  const isNarrow = width < 640, step = isNarrow ? 38 : 26, top = 10, bottom = top + step * dots.length;
  const left = isNarrow ? 6 : Math.min(320, 0.3 * width), right = width - 92;
  const values = dots.flatMap((dot) => [dot.value, ...dot.bySeed, ...(dot["two-way"] ?? []), ...(dot.bootstrap ?? [])]);
  const domain = range([...values, ...(isKnown(group.chance) ? [group.chance] : [])]), x = scale(domain, left, right);
  const grid = ticks(domain, isNarrow ? 4 : 8).flatMap((value) => [line(x(value), top, x(value), bottom, "grid"),
    text(x(value), bottom + 16, tickText(value), { class: "small", "text-anchor": "middle" })]);
  if (isKnown(group.chance)) grid.push(line(x(group.chance), top, x(group.chance), bottom, "chance"));
  const height = (i) => top + step * i + (isNarrow ? 26 : 13);
  const layout = { isNarrow, left, right, end: (value) => x(clipped(domain)(value)) };
  const marks = dots.map((dot, i) => ({ x: x(dot.value), y: height(i), row: dot.row, text: () => dotInWords(dot) }));
  const name = `${data.metric} on ${group.name}: ${plural(dots.length, "row")}, best first. ${group.finding}`;
  const lines = dots.map((dot, i) => drawDot(dot, height(i), layout));
  return { picture: svg(width, bottom + 24, name, [...grid, ...lines]), marks };
}

function drawDot(dot, y, { isNarrow, left, right, end }) {
  const bar = (ends, dy, kind) => (ends ? [line(end(ends[0]), y + dy, end(ends[1]), y + dy, kind)] : []);
  const caps = (dot["two-way"] ?? []).map((value) => line(end(value), y - 4, end(value), y + 4, "thick"));
  const label = isNarrow ? text(left, y - 12, shorten(dot.row.name, Math.floor((right + 84) / 7)))
    : text(left - 8, y + 4, shorten(dot.row.name, Math.floor(left / 6.6)), { "text-anchor": "end" });
  const seeds = dot.bySeed.map((value) => shape("circle", { cx: rounded(end(value)), cy: y + 4, r: 2, class: "seed" }));
  const kind = dot["two-way"] || dot.bootstrap ? "dot" : "dot hollow";
  return shape("g", {}, label, ...bar(dot.bootstrap, 7, "thin"), ...bar(dot["two-way"], 0, "thick"), ...caps, ...seeds,
    shape("circle", { cx: rounded(end(dot.value)), cy: y, r: 4, class: kind }),
    text(right + 10, y + 4, percent(dot.value), { class: "strong" }),
    text(right + 44, y + 4, shorten(dot.letters, 8), { class: "letters" }));
}

function dotInWords(dot) {
  const parts = [`${dot.row.name}: ${percent(dot.value)}`];
  if (dot["two-way"]) parts.push(`two-way interval ${dot["two-way"].map(percent).join(" to ")}`);
  if (dot.letters) parts.push(`letters ${dot.letters}`);
  if (dot.bySeed.length) parts.push(`by seed ${dot.bySeed.map(percent).join(" ")}`);
  return `${parts.join(", ")}. Enter or a click opens the row in detail.`;
}
views.push({ uses: ["table", "group", "text"], draw: drawDots });
