/** Texts from programs, made safe to show; numbers as people read them. */

/** Control characters, line separators, and what changes the direction or hides: they are shown as escapes. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\u{115f}\u{1160}\u{3164}\u{ffa0}]/gu;

/** `text` on one line: control, bidirectional and invisible characters escaped (`\u202e`). */
export function printable(text: string): string {
  return text.replace(HIDDEN, (char) => escaped(char.codePointAt(0) ?? 0));
}

function escaped(code: number): string {
  const hex = code.toString(16);
  if (code === 10) return "\\n";
  if (code === 9) return "\\t";
  if (code === 13) return "\\r";
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** `text`, printable, at most `limit` characters. What is left out is marked by `…`. */
export function short(text: string, limit: number): string {
  // Cut first: a name of a megabyte must not be walked through.
  const head = printable(text.length > limit * 2 ? text.slice(0, limit * 2) : text);
  return head.length <= limit && text.length <= limit * 2 ? head : `${head.slice(0, limit - 1)}…`;
}

/** A function's name as people call it: what `<locals>.` leads to. */
export function functionName(name: string, limit = 60): string {
  const at = name.lastIndexOf("<locals>.");
  return short(at < 0 ? name : name.slice(at + 9), limit);
}

/** `train.py:88`. */
export function place(file: string, line: number, limit = 60): string {
  if (file === "") return "";
  return `${short(file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1), limit)}:${line}`;
}

/** `870 µs`, `12.3 ms`, `4.52 s`, `312.4 s`: as `jitscope report` writes seconds (render/numbers.py). */
export function seconds(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "not known";
  if (value <= 0) return "0 s";
  for (const [unit, scale] of [
    ["µs", 1e6],
    ["ms", 1e3],
  ] as const) {
    const text = digits(value * scale, 0);
    // The rounded number decides: 999.96 ms is 1 s.
    if (Number(text) < 1000) return `${text} ${unit}`;
  }
  return `${digits(value, 1)} s`;
}

function digits(value: number, most: number): string {
  return value < 9.995 ? value.toFixed(2) : value.toFixed(value < 99.95 ? 1 : most);
}

/** `1,234`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `3 compilations`. */
export function counted(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** `12%`; what is not all or nothing is not shown as such: `<1%`, `>99%`. */
export function percent(share: number): string {
  if (share > 0 && share < 0.01) return "<1%";
  if (share > 0.99 && share < 1) return ">99%";
  return `${(share * 100).toFixed(0)}%`;
}

/** `487 / 497 (97.99%)`; rounded down, so that 100% means all. */
export function ratio(part: number, whole: number): string {
  const both = `${count(part)} / ${count(whole)}`;
  if (whole === 0) return both;
  const share = (100 * part) / whole;
  if (part && share < 0.1) return `${both} (<0.1%)`;
  const scale = share > 99 ? 100 : 10;
  return `${both} (${Math.floor(share * scale) / scale}%)`;
}

/** How a command in a terminal names a function: by its name where a shell takes it as it is, else by its id. */
export function terminalName(name: string, id: number): string {
  if (printable(name) !== name || name.length >= 120 || !/^[^'#]+$/.test(name)) return `f${id}`;
  return /^[\w.]+$/.test(name) ? name : `'${name}'`;
}
