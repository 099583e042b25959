/** Lets headless Chromium draw files, and says what it drew. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { COLUMNS, gridOf, ROWS, type Look } from './grid.ts';

export interface Drawn {
  /** As in an `img`; null where Chromium shows a broken picture. */
  first: Look | null;
  /** Every frame, composed; null where no more than the first was asked for. */
  frames: Array<Look & { durationMs: number }> | null;
  error?: string;
}

export interface ToDraw {
  bytes: Buffer;
  /** Its media type, which Chromium needs for the frames of an animation. */
  type: string;
  animated: boolean;
}

const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  '--force-color-profile=srgb',
];

/** Looks in the order of `files`. Throws when Chromium ends early or takes longer than `patienceMs` for one file. */
export async function drawn(
  files: readonly ToDraw[],
  { executable, patienceMs = 60_000 }: { executable: string; patienceMs?: number },
): Promise<Drawn[]> {
  const page = await pageText();
  const results: Drawn[] = [];
  const over = Promise.withResolvers<null>();
  let alarm: NodeJS.Timeout | undefined;
  const progress = (): void => {
    clearTimeout(alarm);
    alarm = setTimeout(() => {
      over.reject(
        new Error(`Chromium drew nothing for ${patienceMs} ms, at file ${results.length}`),
      );
    }, patienceMs);
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, kind, number] = (request.url ?? '').split('/');
    const file = files[Number(number)];
    if (kind === '') response.setHeader('content-type', 'text/html').end(page);
    else if (kind === 'files') response.end(JSON.stringify(manifestOf(files)));
    else if (kind === 'file' && file) response.setHeader('content-type', file.type).end(file.bytes);
    else if (kind === 'result') {
      results[Number(number)] = JSON.parse(await text(request)) as Drawn;
      progress();
      response.end();
    } else if (kind === 'done') {
      response.end();
      over.resolve(null);
    } else response.writeHead(404).end();
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => over.reject(error));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const profile = await mkdtemp(join(tmpdir(), 'moderato-browser-'));
  const { port } = server.address() as AddressInfo;
  const browser = spawn(
    executable,
    [
      ...FLAGS,
      `--user-data-dir=${profile}`,
      '--remote-debugging-port=0',
      `http://127.0.0.1:${port}/`,
    ],
    { stdio: 'ignore' },
  );
  browser.once('error', (error) => over.reject(error));
  browser.once('exit', () =>
    over.reject(new Error('Chromium ended before it had drawn every file')),
  );
  progress();
  try {
    await over.promise;
    return results;
  } finally {
    clearTimeout(alarm);
    const ended = browser.exitCode === null ? once(browser, 'exit') : null;
    browser.kill();
    await ended;
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

async function pageText(): Promise<string> {
  const page = await readFile(new URL('page.html', import.meta.url), 'utf8');
  return page.replace('/* GRID_OF */', () => gridOf.toString());
}

function manifestOf(files: readonly ToDraw[]) {
  return {
    columns: COLUMNS,
    rows: ROWS,
    files: files.map(({ type, animated }) => ({ type, animated })),
  };
}
