/** The types of the bodies that travel, the same on both sides. */

/** A signed request (DESIGN 5). */
export const REQUEST_TYPE = 'application/jose+json';

/** Events, one per line (DESIGN 6). */
export const EVENTS_TYPE = 'application/x-ndjson';

/** A short answer. */
export const JSON_TYPE = 'application/json';
