/** Lines around the call sites, where the recording holds them. */

import type { JSX } from "preact";
import type { FunctionReport, PageData, Site, SourceLines } from "../data";
import { place, printable, short } from "../text";

export function SourceOf({ data, one }: { data: PageData; one: FunctionReport }): JSX.Element | null {
  const sites = one.compilations_detail.flatMap((each) => (each.site === null ? [] : [each.site]));
  const found = data.source.filter((lines) =>
    sites.some((site) => site.file === lines.file && site.line === lines.line),
  );
  if (found.length === 0) return null;
  return (
    <>
      <h3>Where it was called</h3>
      {found.slice(0, 10).map((lines) => (
        <Lines key={`${lines.file}:${lines.line}`} of={lines} />
      ))}
    </>
  );
}

export function SourceAt({ data, site }: { data: PageData; site: Site }): JSX.Element | null {
  const lines = data.source.find((each) => each.file === site.file && each.line === site.line);
  return lines === undefined ? null : <Lines of={lines} />;
}

function Lines({ of }: { of: SourceLines }): JSX.Element {
  return (
    <figure class="source">
      <figcaption class="soft">{place(of.file, of.line)}</figcaption>
      <pre>
        {of.lines.map((line, n) => {
          const number = of.first + n;
          const text = `${String(number).padStart(5)}  ${printable(short(line, 200))}\n`;
          return number === of.line ? <mark key={number}>{text}</mark> : text;
        })}
      </pre>
    </figure>
  );
}
