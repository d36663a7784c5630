/** Whether somebody is at the page: what it asks by itself while nobody is must not keep a session alive. */

/** Milliseconds since the last touch, after which the page counts as left. */
const LEFT_MS = 60_000;

let touchedAt = performance.now();

for (const type of ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchmove'])
  window.addEventListener(type, () => (touchedAt = performance.now()), { capture: true, passive: true });

export function isLeft(): boolean {
  return performance.now() - touchedAt > LEFT_MS;
}
