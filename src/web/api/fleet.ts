/** What hosts are doing and what they are ordered to do, as the API takes and returns it. */
import * as v from 'valibot';
import { count, longText, measure, text } from '../../util/bounds.ts';
import { ChoiceSchema, seconds, UnansweredSchema } from './choice.ts';

const YEAR_S = 366 * 86_400;

/** What is to be known about the choice: hosts that are not allowed, PuppetDB that cannot be asked. */
const warnings = v.array(longText);

export const AskSchema = v.strictObject({ choice: ChoiceSchema });

export const StateSchema = v.object({
  certname: longText,
  state: longText,
  latencyMs: v.optional(measure),
  /** What the agent says of itself. */
  status: v.optional(v.looseObject({ certname: longText, version: longText })),
  error: v.optional(longText),
  /** Why it should be running again and is not. */
  overdue: v.optional(longText),
});

export const StatusReplySchema = v.object({
  counts: v.record(longText, count),
  waiting: count,
  hosts: v.array(StateSchema),
  unanswered: v.array(UnansweredSchema),
  warnings,
});

export const SummaryReplySchema = v.looseObject({ warnings });

export const DoctorReplySchema = v.object({
  hosts: v.array(
    v.object({
      certname: longText,
      isSilent: v.boolean(),
      findings: v.array(v.looseObject({})),
      vitals: v.optional(v.looseObject({ kick: longText })),
    }),
  ),
  warnings,
});

const reason = v.pipe(
  text(500),
  v.check((value) => value.trim() !== '', 'it is empty'),
);

export const DisableSchema = v.strictObject({
  choice: ChoiceSchema,
  reason,
  for: v.optional(v.pipe(seconds(YEAR_S, 'until the agent enables Puppet again'), v.minValue(1))),
});

export const EnableSchema = v.strictObject({
  choice: ChoiceSchema,
  force: v.optional(v.pipe(v.literal(true), v.description('even if somebody else has disabled it'))),
  reason: v.optional(text(500)),
});

export const CancelSchema = v.strictObject({ choice: ChoiceSchema, reason: v.optional(text(500)) });

export const OrderReplySchema = v.object({
  hosts: v.array(
    v.object({
      certname: longText,
      result: v.optional(longText),
      message: v.optional(longText),
      error: v.optional(longText),
    }),
  ),
  warnings,
});
