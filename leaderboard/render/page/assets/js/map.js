// Languages on a map of the world, by score or by difference; the projection was applied where the page was made.

const WORLD = { left: 0, top: -245, width: 1000, height: 440 };
const CLOSEST = 300;

function drawMap() {
  const place = viewOf("map"), [a, b] = [rowsByKey.get(state.a), rowsByKey.get(state.b)];
  if (!a) return nothing(place, "No row has numbers by language.");
  const tests = state.show === "difference" ? languageTests(a, b) : null, languages = chosenLanguages();
  const points = languages.filter(({ x }) => isKnown(x))
    .map((language) => ({ language, value: mapValue(a, b, language), q: tests?.[language.index] }))
    .filter(({ value }) => isKnown(value));
  if (!points.length) return nothing(place, "No language that is chosen has a place and a number.");
  const { picture, marks } = mapPicture(points, widthOf(place), mapTitle(a, b));
  const columns = [{ title: "language", value: ({ language }) => nameOf(language) },
    { title: "region", value: ({ language }) => language.area },
    { title: mapTitle(a, b), value: ({ value }) => value, text: ({ value }) => mapText(value) },
    ...(tests ? [{ title: "q", value: ({ q }) => q, text: ({ q }) => pText(q) }] : [])];
  const caption = mapCaption(a, b, tests, languages.filter(({ x }) => !isKnown(x)).length);
  showFigure(place, { name: "map", picture, marks, columns, items: points, reach: [12, 12], caption });
}

const isDifference = () => state.show === "difference";

function mapValue(a, b, language) {
  const [ofA, ofB] = [valueIn(a, language), valueIn(b, language)];
  if (!isDifference()) return state.show === "a" ? ofA : ofB;
  return isKnown(ofA) && isKnown(ofB) ? ofA - ofB : null;
}
const mapTitle = (a, b) =>
  (isDifference() ? `${a.name} less ${b.name}` : `${data.metric} of ${(state.show === "a" ? a : b).name}`);
const mapText = (value) => (isDifference() ? signed(value) : percent(value));

function mapCaption(a, b, tests, unplaced) {
  const parts = [`${mapTitle(a, b)}, in ${isDifference() ? "points" : "per cent"}; a dot a language.`];
  if (tests) parts.push(`With a dark ring: the two rows differ there, q at most ${alphaText()}.`);
  if (unplaced) parts.push(`${plural(unplaced, "language")} without a place.`);
  return [...parts, "Places: Glottolog 5.1 (CC BY 4.0); land: Natural Earth."].join(" ");
}

/** The part of the world that holds all points, with a margin, and not too small. */
function frameOf(points) {
  const ratio = WORLD.height / WORLD.width, margin = 30;
  const [xs, ys] = ["x", "y"].map((name) => points.map(({ language }) => language[name]));
  const extent = (values) => Math.max(...values) - Math.min(...values) + 2 * margin;
  const centre = (values) => (Math.min(...values) + Math.max(...values)) / 2;
  const width = Math.min(WORLD.width, Math.max(CLOSEST, extent(xs), extent(ys) / ratio)), height = width * ratio;
  const inside = (middle, size, low, whole) => clipped([low, low + whole - size])(middle - size / 2);
  return { width, height, left: inside(centre(xs), width, WORLD.left, WORLD.width),
    top: inside(centre(ys), height, WORLD.top, WORLD.height) };
}

/** Languages that share a point stand around it. */
function spread(points, distance) {
  const shared = new Map();
  for (const point of points) {
    const key = `${point.language.x} ${point.language.y}`;
    shared.set(key, [...(shared.get(key) ?? []), point]);
  }
  return [...shared.values()].flatMap((members) => members.map((point, k) => {
    const angle = (2 * Math.PI * k) / members.length, away = members.length > 1 ? distance : 0;
    return { ...point, dx: away * Math.cos(angle), dy: away * Math.sin(angle) };
  }));
}

/** The colours of these values, and the range that a legend shows. */
function mapColours(values) {
  const most = Math.max(0.05, ...values.map(Math.abs));
  if (isDifference()) return { domain: [-most, most], colour: differenceColours(most) };
  const domain = roundRange(values);
  return { domain, colour: scoreColours(domain) };
}

function mapPicture(points, width, title) {
  const frame = frameOf(points), unit = width / frame.width, height = rounded(unit * frame.height);
  const radius = width < 640 ? 3.2 : 4.6, { domain, colour } = mapColours(points.map(({ value }) => value));
  const placed = spread(points, 1.1 * radius).map((point) => ({ ...point,
    x: unit * (point.language.x - frame.left) + point.dx, y: unit * (point.language.y - frame.top) + point.dy }));
  const land = shape("path", { d: data.land, class: "land",
    transform: `scale(${unit.toFixed(4)}) translate(${rounded(-frame.left)} ${rounded(-frame.top)})` });
  const dots = placed.map(({ x, y, value, q }) => shape("circle", { cx: rounded(x), cy: rounded(y), r: radius,
    fill: colour(value), class: isTold(q) ? "place apart" : "place" }));
  const marks = placed.map(({ x, y, language, value, q }) => ({ x, y, text: () => [nameOf(language),
    language.family || "family not known", mapText(value), ...(isKnown(q) ? [`q ${pText(q)}`] : [])].join(", ") }));
  const scene = [shape("clipPath", { id: "map-frame" }, shape("rect", { x: 0, y: 0, width, height })),
    shape("g", { "clip-path": "url(#map-frame)" }, land, ...dots),
    legend(8, height + 20, Math.min(260, width - 30), domain, colour, isDifference() ? "points" : "per cent")];
  return { picture: svg(width, height + 48, `${title}: ${plural(points.length, "language")} on a map`, scene), marks };
}
views.push({ uses: [...OF_LANGUAGES, "a", "b", "show"], draw: drawMap });
