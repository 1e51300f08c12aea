/** The signatures of a function as a table: a column for each path that differs, with what differs marked. */

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { FunctionReport, PageData } from "../data";
import { markedColumn } from "../marks";
import { count, counted, printable, seconds, short } from "../text";
import { Text } from "./common";

const LISTED = 25;
const MOST = 500;

export function Signatures(props: { data: PageData; one: FunctionReport; chosen: number | null }): JSX.Element {
  const { data, one } = props;
  const [all, setAll] = useState(props.chosen !== null);
  const table = data.signatures.get(one.id);
  const columns = useMemo(
    () =>
      (table?.paths ?? []).map((_, n) => markedColumn((table?.rows ?? []).map((row) => cut(row.values[n] ?? null)))),
    [table],
  );
  const cells = useMemo(() => new Map(table?.rows.map((row) => [row.signature, row.values])), [table]);
  const costs = useMemo(() => {
    const found = new Map<number | null, number>();
    for (const each of one.compilations_detail)
      found.set(each.signature, (found.get(each.signature) ?? 0) + each.seconds);
    return found;
  }, [one]);
  const shown = one.signatures.slice(0, all ? MOST : LISTED);
  return (
    <>
      <div class="scroll">
        <table class="signatures">
          <thead>
            <tr>
              <th scope="col">first call</th>
              {(table?.paths ?? []).map((path) => (
                <th key={path} scope="col" class="code">
                  {short(path, 40)}
                </th>
              ))}
              {table?.paths.length === 0 && <th scope="col">signature</th>}
              <th scope="col" class="number">
                calls
              </th>
              <th scope="col" class="number">
                hits
              </th>
              <th scope="col" class="number">
                compiling
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((each) => (
              <tr
                key={each.id}
                class={each.id === props.chosen ? "chosen" : ""}
                aria-selected={each.id === props.chosen}
              >
                <th scope="row" class="number">
                  {each.first_call === null ? "–" : count(each.first_call)}
                </th>
                {(table?.paths ?? []).map((path, n) => (
                  <Cell key={path} text={cut(cells.get(each.id)?.[n] ?? null)} column={columns[n]} />
                ))}
                {table?.paths.length === 0 && (
                  <td>
                    <Text of={each.text} limit={200} class="code" />
                  </td>
                )}
                <td class="number">{count(each.calls)}</td>
                <td class="number">{count(each.hits)}</td>
                <td class="number">{costs.has(each.id) ? seconds(costs.get(each.id) ?? 0) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {one.signatures.length > shown.length &&
        (all ? (
          <p class="soft">… {counted(one.signatures.length - shown.length, "more signature")}, not listed</p>
        ) : (
          <button type="button" class="more" onClick={() => setAll(true)}>
            {counted(one.signatures.length - shown.length, "more signature")}
          </button>
        ))}
      {table !== undefined && (table.more_paths > 0 || table.same.length > 0) && table.paths.length > 0 && (
        <details>
          <summary>
            {counted(table.same.length + table.more_same, "path")} alike
            {table.more_paths > 0 && `; ${count(table.more_paths)} more differ`}
          </summary>
          <ul class="plain">
            {table.same.map((each) => (
              <li key={each.path}>
                <code>
                  {short(each.path, 80)}: {short(each.text, 200)}
                </code>
              </li>
            ))}
            {table.more_same > 0 && <li class="soft">… {count(table.more_same)} more</li>}
          </ul>
        </details>
      )}
    </>
  );
}

function cut(text: string | null): string | null {
  return text === null ? null : short(text, 60);
}

function Cell(props: { text: string | null; column: ReturnType<typeof markedColumn> | undefined }): JSX.Element {
  if (props.text === null) return <td class="soft">–</td>;
  const parts = props.column?.get(props.text) ?? [{ text: props.text, differs: false }];
  return (
    <td>
      <code>{parts.map((part, n) => (part.differs ? <mark key={n}>{part.text}</mark> : printable(part.text)))}</code>
    </td>
  );
}
