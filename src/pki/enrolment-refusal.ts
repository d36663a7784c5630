/** Why our own CA gives no certificate. */

/** Why no certificate was given. */
export const REFUSALS = {
  token: 'the token is wrong, too old or was taken back',
  used: 'the token has been used already, with another key',
  name: 'the token is for another name',
  'has-certificate': 'the name has a valid certificate',
  unknown: 'the certificate is not one that may be renewed here',
  'too-early': 'the certificate is too new to be renewed',
} as const;
export type RefusalCode = keyof typeof REFUSALS;

export class EnrolmentRefusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode) {
    super(REFUSALS[code]);
    this.name = 'EnrolmentRefusal';
    this.code = code;
  }
}
