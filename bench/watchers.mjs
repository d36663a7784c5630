// Many users who watch one job: watchers.mjs PORT CA COOKIE JOB COUNT. Prints how many saw its end, and the bytes of all.
import { readFileSync } from 'node:fs';
import { get } from 'node:https';

const [port, caPath, Cookie, job, count] = process.argv.slice(2);
const ca = readFileSync(caPath);
let [bytes, over] = [0, 0];

function watch() {
  const options = { host: '127.0.0.1', port, ca, agent: false, headers: { Cookie } };
  return new Promise((resolve, reject) => {
    get(
      { ...options, path: `/api/v1/jobs/${job}/events`, checkServerIdentity: () => undefined },
      (response) => {
        let end = '';
        response.on('data', (chunk) => {
          bytes += chunk.length;
          end = (end + chunk.subarray(-64).toString('latin1')).slice(-64);
        });
        response.on('end', () => {
          if (end.includes('event: over')) over += 1;
          resolve();
        });
        response.on('error', reject);
      },
    ).on('error', reject);
  });
}

await Promise.all(Array.from({ length: Number(count) }, watch));
console.log(JSON.stringify({ bytes, over }));
