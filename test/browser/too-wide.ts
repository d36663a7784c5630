/** What a person would have to scroll sidewards for, or cannot read at all. */
import type { Page } from 'playwright-core';

/** What is wider than the screen, or needs sidewards scrolling to be read. */
export function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    // What is too long for a cell of a table ends with an ellipsis.
    const isWide = (one: Element) =>
      one.closest('[role="cell"], .clip') === null &&
      (one.getBoundingClientRect().right > innerWidth + 1 ||
        (one.matches('.scroll, .card, p, dd, h1, h2') && one.scrollWidth > one.clientWidth + 1));
    return [...document.querySelectorAll('main *, [role="dialog"] *')]
      .filter(isWide)
      .map((one) => one.outerHTML.slice(0, 120));
  });
}
