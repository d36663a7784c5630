/** DESIGN 12, the agent's side: takes the streams that controllers make to this host through a broker. */
import type { Duplex } from 'node:stream';
import type { Link } from './link.ts';
import { lostWords } from './session.ts';
import { answerToUnknown, NatsStream } from './stream.ts';
import {
  checkFits,
  controllerOf,
  dialler,
  dialsOf,
  downSubject,
  parseStream,
  type StreamName,
  upSubject,
  upsOf,
} from './subjects.ts';

/** Hands every new stream to `onStream`, which limits them. Throws `KickError` for a certname that no broker can carry. */
export function acceptStreams(link: Link, certname: string, onStream: (stream: Duplex) => void): void {
  checkFits(certname);
  const open = new Map<string, NatsStream>();
  let count = 0;

  function begin(name: StreamName): void {
    const [up, down] = [upSubject(name), downSubject(name)];
    if (open.has(up)) return;
    count += 1;
    const stream = new NatsStream({
      send: (message) => link.publish(down, message, up),
      onClose: () => open.delete(up),
      remoteAddress: `nats:${controllerOf(name.controller)}`,
      remotePort: count,
    });
    stream.on('error', () => {}); // its user handles errors as well
    open.set(up, stream);
    onStream(stream);
    if (!stream.destroyed) stream.accept();
  }

  link.subscribe(upsOf(certname), ({ subject, data, isUndeliverable }) => {
    const stream = open.get(subject);
    if (stream !== undefined) {
      if (isUndeliverable) stream.lose('the controller is gone');
      else stream.receive(data);
      return;
    }
    const name = parseStream(subject);
    const answer = isUndeliverable ? undefined : answerToUnknown(data);
    if (name !== undefined && answer !== undefined) link.publish(downSubject(name), answer);
  });
  link.subscribe(dialsOf(certname), ({ subject, reply }) => {
    const name = reply === undefined ? undefined : parseStream(reply);
    if (name?.certname === certname && name.controller === dialler(subject)) begin(name);
  });
  link.onLost((reason) => {
    for (const stream of [...open.values()]) stream.break(lostWords(reason));
  });
}
