/** Rows of one height of which only those in sight exist, so that ten thousand are as quick as ten. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, type KeyboardEvent, type ReactNode, useState } from 'react';

/** Of a row, and of one with two lines. */
export const ROW_PX = 36;
export const TALL_PX = 60;

interface VirtualRowsProps<T> {
  label: string;
  rows: readonly T[];
  keyOf(row: T): string;
  /** As of CSS grid. */
  columns: string;
  /** On a phone. */
  narrow?: string;
  head: ReactNode;
  /** The cells of a row. */
  render(row: T): ReactNode;
  onOpen?: (row: T) => void;
  selected?: string | undefined;
  height: string;
  /** The first cell has a line of its own. */
  isTall?: boolean | undefined;
  /** Instead of rows. */
  empty: ReactNode;
}

export function VirtualRows<T>(props: VirtualRowsProps<T>) {
  const { label, rows, columns, narrow = columns, head, onOpen, height, isTall = false, empty } = props;
  const rowPx = isTall ? TALL_PX : ROW_PX;
  // As state: the rows are drawn before a ref of their parent is set.
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const keys = useRowKeys(rows.length, scroller, rowPx);
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[keys.current];
    const isRow = event.target instanceof HTMLElement && event.target.role === 'row';
    if (!isRow) return;
    if (event.key === 'Enter' && row !== undefined) onOpen?.(row);
    else if (!keys.press(event.key)) return;
    event.preventDefault();
  };
  if (rows.length === 0) return empty;
  return (
    <div
      ref={setScroller}
      className={isTall ? 'table tall' : 'table'}
      style={{ height, '--columns': columns, '--narrow': narrow } as CSSProperties}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      onKeyDown={onKeyDown}
      data-rows
    >
      <div role="rowgroup" className="head">
        <div role="row">{head}</div>
      </div>
      <Body
        key={rowPx}
        {...props}
        rowPx={rowPx}
        scroller={scroller}
        current={keys.current}
        onFocus={keys.setCurrent}
      />
    </div>
  );
}

interface BodyProps<T> extends VirtualRowsProps<T> {
  rowPx: number;
  scroller: HTMLDivElement | null;
  current: number;
  onFocus(index: number): void;
}

function Body<T>(props: BodyProps<T>) {
  const { rows, keyOf, render, onOpen, selected, rowPx, scroller, current, onFocus } = props;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  return (
    <div
      role="rowgroup"
      className={onOpen === undefined ? 'body still' : 'body'}
      style={{ height: virtual.getTotalSize(), position: 'relative' }}
    >
      {virtual.getVirtualItems().map(({ index, start }) => {
        const row = rows[index];
        if (row === undefined) return null;
        const key = keyOf(row);
        return (
          <div
            key={key}
            role="row"
            tabIndex={index === current ? 0 : -1}
            data-index={index}
            aria-rowindex={index + 2}
            data-selected={selected === key ? '' : undefined}
            onFocus={() => onFocus(index)}
            onClick={() => onOpen?.(row)}
            style={{ position: 'absolute', top: 0, transform: `translateY(${start}px)` }}
          >
            {render(row)}
          </div>
        );
      })}
    </div>
  );
}

/** How far a key moves. */
const STEPS: Readonly<Record<string, number>> = {
  j: 1,
  k: -1,
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 15,
  PageUp: -15,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

function useRowKeys(count: number, scroller: HTMLDivElement | null, rowPx: number) {
  const [wanted, setCurrent] = useState(0);
  const current = Math.max(0, Math.min(count - 1, wanted));
  const press = (key: string): boolean => {
    const by = Object.hasOwn(STEPS, key) ? STEPS[key] : undefined;
    if (by === undefined) return false;
    const next = Math.max(0, Math.min(count - 1, current + by));
    setCurrent(next);
    scrollTo(scroller, next, rowPx);
    requestAnimationFrame(() => {
      scroller?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus({ preventScroll: true });
    });
    return true;
  };
  return { current, setCurrent, press };
}

/** Below the head, which stays. */
function scrollTo(scroller: HTMLElement | null, index: number, rowPx: number): void {
  if (scroller === null) return;
  const top = index * rowPx;
  const inSight = scroller.clientHeight - 2 * rowPx;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top > scroller.scrollTop + inSight) scroller.scrollTop = top - inSight;
}

export function Cell({ children, className = '' }: { children?: ReactNode; className?: string }) {
  return (
    <div role="cell" className={className}>
      {children}
    </div>
  );
}

export function Heading({ children, className = '' }: { children?: ReactNode; className?: string }) {
  return (
    <div role="columnheader" className={className}>
      {children}
    </div>
  );
}
