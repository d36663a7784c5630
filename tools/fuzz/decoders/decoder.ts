/** What a fuzzer of decoders must know of each. */
import { KickError } from '../../../src/errors.ts';

/** How an input is built, and so how it is changed without being refused at its first byte. */
export type Shape = 'json' | 'lines' | 'der' | 'text' | 'bytes';

/** A valid input, made by the program's own encoders where there are any. */
export interface Sample {
  shape: Shape;
  bytes: Uint8Array;
  /** Puts what was changed into what is decoded: the payload of an envelope, the DER of a PEM. */
  wrap?: (inner: Uint8Array) => Uint8Array;
}

/** A decoder that is ready to be tried. */
export interface Opened {
  samples: readonly Sample[];
  /** What it makes of an input; throws, or rejects with, a declared error. */
  decode(input: Buffer): unknown;
  /** Whether an error is one that this decoder may answer with; defaults to none. */
  isDeclared?(error: unknown): boolean;
  /** Writes a value again. Decoding that gives the same value. Undefined for a value that is not written. */
  encode?(value: unknown): Uint8Array | undefined;
  /** Pieces of its language, for inputs that are text. */
  words?: readonly string[];
  /** Bytes of the longest input; defaults to 64 KiB. Now and then an input has a little more. */
  maxBytes?: number;
  /** Bytes of the largest value, besides 64 times those of its input; defaults to 1 MiB. */
  maxValue?: number;
}

export interface Decoder {
  /** Of the command line: `crl`. */
  name: string;
  /** What it reads and who wrote that, for --help. */
  about: string;
  /** `folder`: of its own, for decoders of files. */
  open(folder: string): Opened | Promise<Opened>;
}

export const json = (value: unknown): Sample => ({
  shape: 'json',
  bytes: Buffer.from(JSON.stringify(value)),
});
export const textSample = (text: string): Sample => ({ shape: 'text', bytes: Buffer.from(text) });
export const linesSample = (lines: readonly unknown[]): Sample => ({
  shape: 'lines',
  bytes: Buffer.from(lines.map((one) => `${JSON.stringify(one)}\n`).join('')),
});

/** JSON that stands inside something else. */
export const within = (value: unknown, wrap: (inner: Uint8Array) => Uint8Array): Sample => ({
  ...json(value),
  wrap,
});

/** Whether an error is of one of these classes. */
export const isOf =
  // biome-ignore lint/suspicious/noExplicitAny: any class of errors
    (...classes: readonly (abstract new (...args: any[]) => unknown)[]) =>
    (error: unknown) =>
      classes.some((one) => error instanceof one);

/** Whether an error is a `KickError` with one of these codes. */
export const isKick =
  (...codes: readonly KickError['code'][]) =>
  (error: unknown) =>
    error instanceof KickError && codes.includes(error.code);
