/** Wheel, drag and pinch on a plot that can be zoomed. A plain wheel stays the browser's: it scrolls. */

export interface Gestures {
  /** Zoom by a factor at a place, in pixels of the element. */
  zoom(factor: number, x: number, y: number): void;
  /** Move what is shown by so many pixels to the right, and down (a drag only). */
  pan(right: number, down: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  click(x: number, y: number): void;
}

/** Listen on `element`; returns how to stop. A drag of more than 4 pixels is no click. */
export function followGestures(element: HTMLElement, to: Gestures): () => void {
  const down = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const at = (event: MouseEvent): { x: number; y: number } => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const stop = new AbortController();
  const { signal } = stop;
  element.addEventListener(
    "wheel",
    (event) => {
      const lines = event.deltaMode === 1 ? 20 : 1;
      if (event.ctrlKey || event.metaKey || event.altKey) {
        event.preventDefault();
        // A trackpad's pinch comes as many small steps with ctrl.
        const step = Math.max(Math.min(event.deltaY * lines, 60), -60);
        const { x, y } = at(event);
        to.zoom(2 ** (-step / 90), x, y);
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        to.pan(-(event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX) * lines, 0);
      }
    },
    { passive: false, signal },
  );
  element.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      if (down.size === 0) moved = 0;
      down.set(event.pointerId, at(event));
    },
    { signal },
  );
  element.addEventListener(
    "pointermove",
    (event) => {
      const now = at(event);
      const before = down.get(event.pointerId);
      if (before === undefined) {
        if (event.pointerType !== "touch") to.hover(now.x, now.y);
        return;
      }
      const others = [...down].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
      moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
      if (moved > 4) element.setPointerCapture(event.pointerId);
      const other = others[0];
      if (other !== undefined) {
        const old = Math.hypot(before.x - other.x, before.y - other.y);
        const distance = Math.hypot(now.x - other.x, now.y - other.y);
        if (old > 8 && distance > 8) to.zoom(distance / old, (now.x + other.x) / 2, (now.y + other.y) / 2);
        to.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
      } else if (moved > 4) to.pan(now.x - before.x, now.y - before.y);
      down.set(event.pointerId, now);
    },
    { signal },
  );
  const up = (event: PointerEvent): void => {
    const known = down.delete(event.pointerId);
    if (known && event.type === "pointerup" && down.size === 0 && moved <= 4) {
      const { x, y } = at(event);
      to.click(x, y);
    }
  };
  element.addEventListener("pointerup", up, { signal });
  element.addEventListener("pointercancel", up, { signal });
  element.addEventListener("pointerleave", () => to.leave(), { signal });
  return () => stop.abort();
}
