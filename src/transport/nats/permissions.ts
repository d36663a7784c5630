/** DESIGN 10, what a broker lets each certname do: its own subjects and no others. */
import { controllerToken, dialsOf, QUESTIONS, questionSubject, upsOf } from './subjects.ts';

export interface Permissions {
  publish: string[];
  subscribe: string[];
}

export function agentPermissions(certname: string): Permissions {
  return {
    subscribe: [dialsOf(certname), upsOf(certname), QUESTIONS],
    publish: [`kick.v1.down.*.*.*.${certname}`, `kick.v1.answer.*.*.${certname}`, `kick.v1.here.${certname}`],
  };
}

export function controllerPermissions(certname: string): Permissions {
  const token = controllerToken(certname);
  return {
    subscribe: [`kick.v1.down.${token}.>`, `kick.v1.answer.${token}.>`, 'kick.v1.here.>'],
    publish: [`kick.v1.dial.${token}.>`, `kick.v1.up.${token}.>`, questionSubject(token)],
  };
}
