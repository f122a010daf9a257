// Numbers and names as the page writes them.

const percent = (value) => (isKnown(value) ? (100 * value).toFixed(1) : "\u2013");
const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(100 * value).toFixed(1);
const tickText = (value) => String(Math.round(1000 * value) / 10).replace("-", "\u2212");
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;
const nameOf = ({ name, code }) => (name === code ? code : `${name} (${code})`);
const alphaText = () => `${Math.round(1000 * data.alpha) / 10}%`;

/** As the tables have it: three digits without the leading zero. */
function pText(p) {
  if (!isKnown(p)) return "no test";
  return p < 0.001 ? "<.001" : p >= 0.9995 ? "1" : p.toFixed(3).replace("0.", ".");
}

function shorten(label, length) {
  const letters = Array.from(label);
  return letters.length > length ? letters.slice(0, Math.max(1, length - 1)).join("") + "\u2026" : label;
}

/** Some names, and how many more there are. */
function listed(names, most = 8) {
  return names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");
}
