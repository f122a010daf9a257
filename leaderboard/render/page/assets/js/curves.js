// Curves: accuracy on source dev while training, and scores over labelled examples of the target.

const MARKED = 6;
const isFaint = ({ kind }) => kind === "curve faint";

function drawCurves() {
  const place = viewOf("curves"), parts = [element("div"), element("div")], width = widthOf(place);
  const training = trainingLines(), examples = fewShotLines();
  place.replaceChildren(...parts);
  if (training.length) showLines(parts[0], training, width, TRAINING);
  if (examples.length) showLines(parts[1], examples, width, FEW_SHOT());
  if (training.length || examples.length) return;
  nothing(place, "No row here kept what it scored while training, and none learned from few examples of the target.");
}

const TRAINING = {
  name: "training",
  axis: "Step",
  metric: "Accuracy",
  isNumeric: true,
  caption: "Accuracy on source dev in per cent while training, a line a run: A and B in colour, other rows grey. " +
    "Ringed: the step that was chosen. Source dev says nothing of target languages.",
};
const FEW_SHOT = () => ({
  name: "few-shot",
  axis: "Labelled examples of each target",
  metric: data.metric,
  isNumeric: false,
  caption: `${data.metric} on ${state.group} in per cent over labelled examples of each target, with two-way ` +
    "intervals. Each number of examples is a table of its own: within it rows are tested against each other, along a " +
    "line they are not.",
});

/** Each run a line; those of A and B stand out, and are drawn last. */
function trainingLines() {
  const kinds = new Map([[state.b, "curve c2"], [state.a, "curve c1"]]);
  const lines = chosenRows().flatMap((row) => row.curves.map((curve) => ({
    name: `${row.name}, seed ${curve.seed}`,
    legend: row.name,
    kind: kinds.get(row.key) ?? "curve faint",
    points: curve.steps.map((step, k) => ({ x: step, label: String(step), y: curve.values[k],
      isRinged: step === curve.selected })),
  })));
  return lines.sort((first, second) => isFaint(second) - isFaint(first));
}

/** A line for each configuration that learned from several numbers of examples, on the target group. */
function fewShotLines() {
  const series = new Map();
  for (const row of allRows) {
    const number = row.section.groups.findIndex((group) => group.name === state.group), score = row.scores[number];
    if (!row.fewShot || !score || !isChosen(row)) continue;
    const { series: key, name, shots } = row.fewShot;
    const point = { shots: shots ?? Infinity, label: String(shots ?? "all"), y: score.value, ends: score["two-way"] };
    series.set(key, { name, points: [...(series.get(key)?.points ?? []), { ...point, isRinged: true }] });
  }
  const lines = [...series.values()].filter(({ points }) => points.length > 1);
  const numbers = [...new Set(lines.flatMap(({ points }) => points.map(({ shots }) => shots)))].sort((p, q) => p - q);
  return lines.map(({ name, points }, k) => ({ name, legend: name, kind: k < MARKED ? `curve c${k + 1}` : "curve faint",
    points: points.map((point) => ({ ...point, x: numbers.indexOf(point.shots) })).sort((p, q) => p.x - q.x) }));
}

function showLines(place, lines, width, { name, axis, metric, isNumeric, caption }) {
  const { x, y, frame, height } = lineFrame(lines, width, axis, isNumeric);
  const legends = [...new Map(lines.filter((entry) => !isFaint(entry)).map((entry) => [entry.kind, entry.legend]))]
    .map(([kind, label], k) => shape("g", { transform: `translate(44 ${height + 18 * k})` },
      shape("line", { x1: 0, x2: 26, y1: -4, y2: -4, class: kind }), text(32, 0, shorten(label, (width - 90) / 7))));
  const parts = [...frame, ...lines.flatMap((entry) => oneLine(entry, x, y)), ...legends];
  const picture = svg(width, height + 18 * legends.length, `${axis}: ${plural(lines.length, "line")}`, parts);
  const items = lines.flatMap((entry) => entry.points.map((point) => ({ ...point, name: entry.name })));
  const marks = items.map((item) => ({ x: x(item.x), y: y(item.y),
    text: () => `${item.name}, ${axis.toLowerCase()} ${item.label}: ${percent(item.y)}` }));
  const columns = [{ title: "line", value: (item) => item.name }, { title: axis, value: ({ label }) => label },
    { title: metric, value: (item) => item.y, text: (item) => percent(item.y) }];
  showFigure(place, { name, picture, marks, columns, items, caption });
}

/** Grid and axes; numbers of examples stand side by side, steps where they belong. */
function lineFrame(lines, width, axis, isNumeric) {
  const points = lines.flatMap((entry) => entry.points), left = 44, right = width - 20, top = 12, bottom = 252;
  const steps = [Math.min(...points.map((point) => point.x)), Math.max(...points.map((point) => point.x))];
  const domain = range(points.flatMap((point) => [point.y, ...(point.ends ?? [])]));
  const x = scale(steps, left + 14, right), y = scale(domain, bottom, top);
  const labels = isNumeric ? ticks(steps, width / 110).map((step) => [step, step.toLocaleString("en")])
    : [...new Map(points.map((point) => [point.x, point.label]))];
  const frame = ticks(domain, 5).flatMap((value) => [line(left, y(value), width - 10, y(value), "grid"),
    text(left - 6, y(value) + 4, tickText(value), { class: "small", "text-anchor": "end" })]);
  const centred = { class: "small", "text-anchor": "middle" };
  frame.push(...labels.map(([step, label]) => text(x(step), bottom + 16, label, centred)));
  frame.push(text((left + width) / 2, bottom + 34, axis, centred));
  return { x, y, frame, height: bottom + 56 };
}

function oneLine(entry, x, y) {
  const { points, kind } = entry;
  const path = points.map((point, k) => `${k ? "L" : "M"}${rounded(x(point.x))} ${rounded(y(point.y))}`).join("");
  const ends = points.filter((point) => point.ends)
    .map((point) => line(x(point.x), y(point.ends[0]), x(point.x), y(point.ends[1]), `${kind} end`));
  const ringed = isFaint(entry) ? [] : points.filter((point) => point.isRinged);
  const rings = ringed.map((point) =>
    shape("circle", { cx: rounded(x(point.x)), cy: rounded(y(point.y)), r: 3.4, class: `${kind} ring` }));
  return [shape("path", { d: path, class: kind }), ...ends, ...rings];
}
views.push({ uses: ["table", "group", "text", "a", "b"], draw: drawCurves });
