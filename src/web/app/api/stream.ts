/**
 * The news of a job. The browser itself comes back after a broken connection and says what it has seen last
 * (`Last-Event-ID`); where the server refuses for a while, this begins again from the first.
 */
import type { News } from '../../api/news.ts';
import { addressOf } from './client.ts';

const AGAIN_MS = 3000;

interface Listener {
  onNews(news: News[]): void;
  onConnection(isConnected: boolean): void;
  /** The server has no more news. */
  onOver(): void;
}

/** Returns what ends it. It ends by itself when the server has no more news. */
export function listenTo(job: string, { onNews, onConnection, onOver }: Listener): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  const stop = () => {
    window.clearTimeout(timer);
    source?.close();
  };
  const open = () => {
    source = new EventSource(addressOf('/jobs/{job}/events', { job }));
    source.onopen = () => onConnection(true);
    source.onmessage = ({ data }) => onNews(JSON.parse(data) as News[]);
    source.addEventListener('over', () => {
      stop();
      onOver();
    });
    source.onerror = () => {
      onConnection(false);
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(open, AGAIN_MS);
    };
  };
  open();
  return stop;
}
