/** What a host's latest report said; `stale`: it is too old, or there is none. */
export const LAST_KINDS = ['failed', 'changed', 'unchanged', 'stale'] as const;
export type LastKind = (typeof LAST_KINDS)[number];
