/**
 * DESIGN 12, the subjects. A certname has dots, so it is always the last part. A controller's name is one token, since its
 * permissions are those of everything below it.
 */
import { KickError } from '../../errors.ts';

const ROOT = 'kick.v1';

/** Tokens of a subject: no dot, blank or wildcard (docs.nats.io, Subject-Based Messaging). */
const TOKEN = /^[^\s.*>]+$/;

/** Whether a certname can be part of a subject: no empty token, blank or wildcard. */
export function fitsSubject(certname: string): boolean {
  return certname.split('.').every((token) => TOKEN.test(token));
}

/** Throws `KickError` `config` for a certname that a broker cannot carry. */
export function checkFits(certname: string): void {
  if (fitsSubject(certname)) return;
  throw new KickError('config', `reach "${certname}" by NATS: the name does not fit into a subject`, {
    hint: 'a certname by NATS has no blank, "*", ">" or empty part; reach this host directly',
  });
}

/** A controller's certname as one token. */
export const controllerToken = (certname: string): string => certname.replaceAll('.', '~');

/** For people; a "~" in a name reads as a dot. */
export const controllerOf = (token: string): string => token.replaceAll('~', '.');

/** One stream: which connection of which controller made it, and its number there. */
export interface StreamName {
  /** The controller's token. */
  controller: string;
  /** Random, one for each connection of a controller. */
  session: string;
  number: string;
  /** The agent. */
  certname: string;
}

const streamTail = ({ controller, session, number, certname }: StreamName) =>
  `${controller}.${session}.${number}.${certname}`;

/** What an agent listens on for new streams, and what a controller asks one on. */
export const dialsOf = (certname: string) => `${ROOT}.dial.*.${certname}`;
export const dialSubject = ({ controller, certname }: StreamName) => `${ROOT}.dial.${controller}.${certname}`;

/** From the controller to the agent. */
export const upsOf = (certname: string) => `${ROOT}.up.*.*.*.${certname}`;
export const upSubject = (name: StreamName) => `${ROOT}.up.${streamTail(name)}`;

/** From the agent to the controller. */
export const downsOf = ({ controller, session }: Pick<StreamName, 'controller' | 'session'>) =>
  `${ROOT}.down.${controller}.${session}.>`;
export const downSubject = (name: StreamName) => `${ROOT}.down.${streamTail(name)}`;

/** All of a controller's own, of one kind. */
export const belowController = (kind: 'dial' | 'up' | 'down' | 'answer', controller: string) =>
  `${ROOT}.${kind}.${controller}.>`;

/** Questions to all agents (DESIGN 12, discovery): what agents listen on, and what one controller asks on. */
export const QUESTIONS = `${ROOT}.who.*`;
export const questionSubject = (controller: string) => `${ROOT}.who.${controller}`;

/** What agents answer to one connection of a controller. */
export const answersTo = ({ controller, session }: Pick<StreamName, 'controller' | 'session'>) =>
  `${ROOT}.answer.${controller}.${session}.>`;
export const answerSubject = ({ controller, session, certname }: Omit<StreamName, 'number'>) =>
  `${ROOT}.answer.${controller}.${session}.${certname}`;

/** The certname in the subject of an answer. */
export function answerer(subject: string): string | undefined {
  return /^kick\.v1\.answer\.[^.]+\.[^.]+\.(.+)$/.exec(subject)?.[1];
}

/** An agent says that it has come: what controllers listen on, and what it says it on. */
export const HELLOS = `${ROOT}.here.>`;
export const helloSubject = (certname: string) => `${ROOT}.here.${certname}`;

/** The certname in the subject of a hello. */
export function greeter(subject: string): string | undefined {
  return /^kick\.v1\.here\.(.+)$/.exec(subject)?.[1];
}

/** Takes the subject of a stream apart, or undefined if it is none. */
export function parseStream(subject: string): StreamName | undefined {
  const match = /^kick\.v1\.(?:up|down)\.([^.]+)\.([^.]+)\.([^.]+)\.(.+)$/.exec(subject);
  if (match === null) return undefined;
  const [, controller = '', session = '', number = '', certname = ''] = match;
  return { controller, session, number, certname };
}

/** The controller's token in the subject of a dial. */
export function dialler(subject: string): string | undefined {
  return /^kick\.v1\.dial\.([^.]+)\../.exec(subject)?.[1];
}
