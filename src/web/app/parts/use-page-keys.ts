/** `/` goes to the search of the page, `j` to its rows. */
import { useHotkeys } from '@mantine/hooks';

export function usePageKeys(): void {
  useHotkeys([
    ['/', () => focus('[data-search]')],
    ['j', () => focus('[data-rows] [role="row"][tabindex="0"]')],
  ]);
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}
