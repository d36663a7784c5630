/**
 * Node's own client for HTTP. An ESM import of node:http reads all that it exports, WebSocket too, for which Node 22
 * and later then load undici: 4 to 10 MB, and without compiled code (packaging/systemd) it cannot be loaded at all.
 */
import { createRequire } from 'node:module';

// Not process.getBuiltinModule, which Node 20 has only from 20.16 on.
const http = createRequire(import.meta.url)('node:http') as typeof import('node:http');

export const httpRequest: typeof http.request = http.request;
