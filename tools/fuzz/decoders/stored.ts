/** Decoders of kick's own files, each as if somebody else had written it. */
import type * as v from 'valibot';
import { parseStored, type StoredFormat, StoredProblem, storedText } from '../../../src/util/stored-json.ts';
import { type Decoder, isOf, json, type Sample } from './decoder.ts';

/** A file of this format: one whose checksum no longer fits is as good as none, so most have none. */
export function storedSamples(values: readonly object[], { version }: { version: number }): Sample[] {
  return values.flatMap((value) => [
    json({ v: version, ...value }),
    { shape: 'bytes', bytes: Buffer.from(storedText(value, { version })) },
  ]);
}

export function storedFile<S extends v.GenericSchema>(
  name: string,
  about: string,
  format: StoredFormat<S>,
  values: readonly (v.InferOutput<S> & object)[],
): Decoder {
  return {
    name,
    about,
    open: () => ({
      samples: storedSamples(values, format),
      decode: (input) => parseStored(name, input, format),
      isDeclared: isOf(StoredProblem),
      encode: (value) => Buffer.from(storedText(value as object, format)),
    }),
  };
}
