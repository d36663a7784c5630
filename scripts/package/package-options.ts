/** What a deb and an rpm are made of. */
import type { Architecture } from './node-runtime.ts';

export interface PackageOptions {
  /** Of the program, as writeTree has made it for this kind of package. */
  tree: string;
  architecture: Architecture;
  version: string;
  /** Seconds since 1970. */
  date: number;
  /** The list of what is inside. */
  sbom: string;
  /** Defaults to xz, which dpkg and every rpm read and which takes a minute; `none` takes seconds. */
  compression?: 'xz' | 'none';
}
