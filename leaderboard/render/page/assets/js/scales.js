// From values to places.

/** Round tick values inside [low, high], about `count` of them. */
function ticks([low, high], count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k += 1) values.push(k * step);
  return values;
}

/** The range of scores to show: all values with a margin, within 0 and 1. */
function range(values) {
  const low = Math.min(...values), high = Math.max(...values);
  const margin = Math.max(0.02, 0.06 * (high - low));
  return [Math.max(0, low - margin), Math.min(1, high + margin)];
}

/** The range between steps of five points, so that colours mean the same on similar boards. */
const roundRange = (values) => [Math.floor(20 * Math.min(...values)) / 20, Math.ceil(20 * Math.max(...values)) / 20];
const scale = ([low, high], from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);
const clipped = ([low, high]) => (value) => Math.min(high, Math.max(low, value));
