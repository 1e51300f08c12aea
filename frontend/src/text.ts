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

/** `1.24 s`, `38.1 ms`, `2 min 05 s`: as `jitscope report` writes seconds. */
export function seconds(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "not known";
  if (value === 0) return "0 s";
  if (value < 0.001) return `${digits(value * 1e6)} µs`;
  if (value < 1) return `${digits(value * 1000)} ms`;
  if (value < 120) return `${digits(value)} s`;
  const whole = Math.round(value);
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `1,234`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `3 compilations`. */
export function counted(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** `12%`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 1 ? "<1" : value > 99 && value < 100 ? ">99" : value.toFixed(0)}%`;
}
