/** What the tests of the sender share: one CA, a request, and calls that are never given up too soon. */
import type { SenderLimits } from '../../src/transport/https/client/limits.ts';
import type { SendError, Sender } from '../../src/transport/transport.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { anySignal, failureOf, startSender, targetAt } from './support.ts';

export const ca = mintCa();
export const agentIdentity = ca.agent();
export const controller = ca.controller();
export const BODY = Buffer.from('{"protected":"x"}');
/** So that nothing is given up but what a test is about, however busy the machine is. */
export const PATIENT = {
  ...{ connectMs: 600_000, continueMs: 600_000, answerMs: 600_000, silenceMs: 600_000 },
  /** One attempt only. */
  againMs: [],
};

export type Call = (sender: Sender, port: number) => Promise<unknown>;
export const submit: Call = (sender, port) => sender.submit(targetAt(port), BODY, { signal: anySignal() });
export const status: Call = (sender, port) => sender.status(targetAt(port), { signal: anySignal() });

export function fail(
  port: number,
  call: Call = submit,
  limits: Partial<SenderLimits> = {},
): Promise<SendError> {
  return failureOf(call(startSender(controller, { limits: { ...PATIENT, ...limits } }), port));
}
