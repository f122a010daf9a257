// Colours of values: one ramp for scores, one with a neutral middle for differences; both follow light and dark.

const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const channels = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
const toHex = (rgb) => `#${rgb.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;

/** Between the colours of a ramp, for a share in [0, 1]. */
function between(stops, share) {
  const position = clipped([0, 1])(share) * (stops.length - 1), low = Math.min(stops.length - 2, Math.floor(position));
  const [from, to] = [stops[low], stops[low + 1]].map(channels);
  return toHex(from.map((value, i) => value + (position - low) * (to[i] - value)));
}
const ramp = (names) => names.map(variable);
const SCORE_RAMP = ["--ramp-0", "--ramp-1", "--ramp-2", "--ramp-3"];
const DIFFERENCE_RAMP = ["--less-1", "--less-0", "--even", "--more-0", "--more-1"];

/** The colour of a score within a range of scores. */
function scoreColours([low, high]) {
  const stops = ramp(SCORE_RAMP);
  return (value) => between(stops, (value - low) / (high - low || 1));
}

/** The colour of a difference, the neutral one at 0, full at `most` either way. */
function differenceColours(most) {
  const stops = ramp(DIFFERENCE_RAMP);
  return (value) => between(stops, 0.5 + value / (2 * (most || 1)));
}

/** Whether black is read more easily on a colour than white: above this luminance its contrast is the larger one. */
function isPale(colour) {
  const [red, green, blue] = channels(colour).map((value) => (value / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18;
}

/** A bar from one end of a range to the other, with values below it. */
function legend(x, y, width, domain, colour, title) {
  const steps = 40, at = scale(domain, x, x + width), value = scale([0, steps], ...domain);
  const bars = Array.from({ length: steps }, (_, k) => shape("rect", { x: rounded(x + (k * width) / steps), y,
    width: rounded(width / steps + 0.5), height: 9, fill: colour(value(k + 0.5)) }));
  const marks = ticks(domain, 4).flatMap((tick) => [line(at(tick), y + 9, at(tick), y + 13, "axis"),
    text(at(tick), y + 24, tickText(tick), { class: "small", "text-anchor": "middle" })]);
  return shape("g", {}, text(x, y - 5, title, { class: "small" }), ...bars, ...marks);
}
