/** What differs between types: the axes, the dtype, or all of it. */

export interface Part {
  text: string;
  differs: boolean;
}

const TYPE = /^([^[\]{}]*)\[([^[\]]*)\](.*)$/s;

/**
 * `text` in parts, marked where it is not as all of `others` are.
 *
 * `f32[64,128]` beside `f32[63,128]`: the first axis. Where ranks differ, or one is no array: all of it.
 */
export function marked(text: string, others: readonly (string | null)[]): Part[] {
  const rest = others.filter((one) => one !== text);
  if (rest.length === 0) return [{ text, differs: false }];
  const own = TYPE.exec(text);
  const types = rest.map((one) => (one === null ? null : TYPE.exec(one)));
  const axes = own?.[2]?.split(",") ?? [];
  if (own === null || types.some((one) => one === null || one[2]?.split(",").length !== axes.length)) {
    return [{ text, differs: true }];
  }
  const found = types as RegExpExecArray[];
  const parts: Part[] = [{ text: own[1] ?? "", differs: found.some((one) => one[1] !== own[1]) }];
  parts.push({ text: "[", differs: false });
  for (const [n, axis] of axes.entries()) {
    if (n > 0) parts.push({ text: ",", differs: false });
    parts.push({ text: axis, differs: found.some((one) => one[2]?.split(",")[n] !== axis) });
  }
  parts.push({ text: "]", differs: false });
  if (own[3] !== "") parts.push({ text: own[3] ?? "", differs: found.some((one) => one[3] !== own[3]) });
  return parts.filter((part) => part.text !== "");
}

/** The same against a column of many rows: each distinct text is compared once. */
export function markedColumn(column: readonly (string | null)[]): Map<string, Part[]> {
  const distinct = [...new Set(column)];
  return new Map(
    distinct.filter((one): one is string => one !== null).map((one) => [one, marked(one, distinct)] as const),
  );
}
