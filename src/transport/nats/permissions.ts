/** DESIGN 12, what a broker lets each certname do: its own subjects and no others. */
import {
  answerSubject,
  belowController,
  controllerToken,
  dialsOf,
  downSubject,
  HELLOS,
  helloSubject,
  QUESTIONS,
  questionSubject,
  upsOf,
} from './subjects.ts';

export interface Permissions {
  publish: string[];
  subscribe: string[];
}

export function agentPermissions(certname: string): Permissions {
  const anybody = { controller: '*', session: '*', certname };
  return {
    subscribe: [dialsOf(certname), upsOf(certname), QUESTIONS],
    publish: [downSubject({ ...anybody, number: '*' }), answerSubject(anybody), helloSubject(certname)],
  };
}

export function controllerPermissions(certname: string): Permissions {
  const token = controllerToken(certname);
  return {
    subscribe: [belowController('down', token), belowController('answer', token), HELLOS],
    publish: [belowController('dial', token), belowController('up', token), questionSubject(token)],
  };
}
