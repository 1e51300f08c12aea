/** Small helpers to make elements; texts are always set as text. */

const SVG = "http://www.w3.org/2000/svg";

type Attributes = Readonly<Record<string, string | number | null>>;

/** An HTML element with attributes and a text. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  text?: string,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  set(made, attributes);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** An SVG element with attributes and a text. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  text?: string,
): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, tag);
  set(made, attributes);
  if (text !== undefined) made.textContent = text;
  return made;
}

export function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, String(value));
  }
}

/** Call `changed` with the element's width in whole pixels, now and when it changes; returns how to stop. */
export function followWidth(element: HTMLElement, changed: (width: number) => void): () => void {
  let last = -1;
  const look = (): void => {
    const width = Math.floor(element.clientWidth);
    if (width === last) return;
    last = width;
    changed(width);
  };
  const observer = new ResizeObserver(look);
  observer.observe(element);
  look();
  return () => observer.disconnect();
}

/** Calls `act` once in the next frame, however often it is asked. */
export class NextFrame {
  #asked = 0;
  readonly #act: () => void;

  constructor(act: () => void) {
    this.#act = act;
  }

  ask(): void {
    if (this.#asked !== 0) return;
    this.#asked = requestAnimationFrame(() => {
      this.#asked = 0;
      this.#act();
    });
  }

  cancel(): void {
    cancelAnimationFrame(this.#asked);
    this.#asked = 0;
  }
}

/** Answers to a click, Enter and Space. */
export function pressable(element: HTMLElement | SVGElement, label: string, act: () => void): void {
  set(element, { tabindex: 0, role: "button", "aria-label": label });
  element.addEventListener("click", act);
  element.addEventListener("keydown", (event) => {
    const key = (event as KeyboardEvent).key;
    if (key !== "Enter" && key !== " ") return;
    event.preventDefault();
    act();
  });
}
