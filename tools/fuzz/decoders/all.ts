/** Every decoder: whatever others write, and what kick wrote itself. */
import { AGENT_STORE } from './agent-store.ts';
import { CONFIGURATION } from './configuration.ts';
import { CONTROLLER_STORE } from './controller-store.ts';
import type { Decoder } from './decoder.ts';
import { ENROLMENT } from './enrolment.ts';
import { EXPRESSIONS } from './expressions.ts';
import { HTTP } from './http.ts';
import { NATS } from './nats.ts';
import { OIDC } from './oidc.ts';
import { PKI } from './pki.ts';
import { PRINTED } from './printed.ts';
import { PROTOCOL } from './protocol.ts';
import { PUPPET } from './puppet.ts';
import { RUN_OUTPUT } from './run-output.ts';
import { WEB } from './web.ts';
import { WEB_STORE } from './web-store.ts';

export const DECODERS: readonly Decoder[] = [
  ...[
    ...PROTOCOL,
    ...HTTP,
    ...NATS,
    ...PKI,
    ...ENROLMENT,
    ...EXPRESSIONS,
    ...CONFIGURATION,
    ...PUPPET,
    ...PRINTED,
    ...RUN_OUTPUT,
  ],
  ...[...WEB, ...OIDC, ...AGENT_STORE, ...CONTROLLER_STORE, ...WEB_STORE],
];
