import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { createFileFetcher, type FileFetcherOptions } from '../../src/references/file-fetcher.ts';
import { imageFetcherConformance } from '../support/image-fetcher-conformance.ts';

const MAX_BYTES = 200_000;
let base: string;
let root: string;
let socket: Server;

const urlOf = (...path: string[]) => pathToFileURL(join(...path)).href;
const fetcherOf = (options: Partial<FileFetcherOptions>) =>
  createFileFetcher({ root, maxBytes: MAX_BYTES, ...options });

beforeAll(async () => {
  base = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'moderato-files-')));
  root = join(base, 'media');
  await fs.mkdir(join(root, 'folder'), { recursive: true });
  await fs.mkdir(join(base, 'media-private'));
  await fs.writeFile(join(base, 'secret.jpg'), 'secret');
  await fs.writeFile(join(base, 'media-private', 'a.jpg'), 'secret');
  await fs.writeFile(join(root, 'a.jpg'), 'inside');
  await fs.writeFile(join(root, 'naïve #1 50%.jpg'), 'named');
  await fs.symlink(join(base, 'secret.jpg'), join(root, 'way-out.jpg'));
  await fs.symlink(base, join(root, 'up'));
  await fs.symlink(join(root, 'a.jpg'), join(root, 'way-in.jpg'));
  await fs.symlink('loop.jpg', join(root, 'loop.jpg'));
  await fs.symlink(root, join(base, 'mounted'));
  execFileSync('mkfifo', [join(root, 'pipe.jpg')]);
  socket = createServer().listen(join(root, 'socket.jpg'));
  await once(socket, 'listening');
});
afterAll(async () => {
  socket.close();
  await fs.rm(base, { recursive: true });
});

imageFetcherConformance('the file fetcher', () =>
  Promise.resolve({
    fetcher: fetcherOf({}),
    maxBytes: MAX_BYTES,
    put: async (name, bytes) => {
      await fs.writeFile(join(root, name), bytes);
      return urlOf(root, name);
    },
    missing: urlOf(root, 'nowhere.jpg'),
    answering: urlOf(root),
    away: urlOf(base),
  }),
);

describe('a file below the root is served', () => {
  it.each([
    ['under a name that must be encoded', () => urlOf(root, 'naïve #1 50%.jpg'), 'named'],
    ['through a link that stays inside', () => urlOf(root, 'way-in.jpg'), 'inside'],
    ['through dots that stay inside', () => `${urlOf(root)}/folder/../a.jpg`, 'inside'],
    [
      'with localhost as its host',
      () => urlOf(root, 'a.jpg').replace('//', '//localhost'),
      'inside',
    ],
  ])('%s', async (_, uri, content) => {
    await expect(fetcherOf({}).fetch(uri())).resolves.toEqual(Buffer.from(content));
  });

  it('by either name of a root that is a symbolic link', async () => {
    const fetcher = fetcherOf({ root: join(base, 'mounted') });
    for (const folder of [join(base, 'mounted'), root]) {
      await expect(fetcher.fetch(urlOf(folder, 'a.jpg'))).resolves.toEqual(Buffer.from('inside'));
    }
  });
});

describe('a reference is refused', () => {
  it.each([
    ['out by dots', () => `${urlOf(root)}/../secret.jpg`, 'image_outside_root'],
    ['out by encoded dots', () => `${urlOf(root)}/%2e%2e/secret.jpg`, 'image_outside_root'],
    ['out by a link to a file', () => urlOf(root, 'way-out.jpg'), 'image_outside_root'],
    ['out by a link to a folder', () => urlOf(root, 'up', 'secret.jpg'), 'image_outside_root'],
    [
      'to a folder that begins alike',
      () => urlOf(base, 'media-private', 'a.jpg'),
      'image_outside_root',
    ],
    ['to a file outside that does not exist', () => 'file:///no/such.jpg', 'image_outside_root'],
    ['to the root itself', () => urlOf(root), 'image_outside_root'],
    ['to a folder', () => urlOf(root, 'folder'), 'image_not_found'],
    ['to a FIFO', () => urlOf(root, 'pipe.jpg'), 'image_not_found'],
    [
      'through a file as if it were a folder',
      () => urlOf(root, 'a.jpg', 'b.jpg'),
      'image_not_found',
    ],
    ['to a UNIX socket', () => urlOf(root, 'socket.jpg'), 'image_unfetchable'],
    ['to links in a circle', () => urlOf(root, 'loop.jpg'), 'image_not_found'],
    ['with a NUL', () => `${urlOf(root)}/a%00.jpg`, 'image_uri_invalid'],
    ['with an encoded slash', () => `${urlOf(root)}/..%2fsecret.jpg`, 'image_uri_invalid'],
    ['with bytes that are no UTF-8', () => `${urlOf(root)}/%ff.jpg`, 'image_uri_invalid'],
    ['with another host', () => urlOf(root, 'a.jpg').replace('//', '//nas'), 'image_uri_invalid'],
    ['with a query', () => `${urlOf(root, 'a.jpg')}?v=1`, 'image_uri_invalid'],
    ['with a fragment', () => `${urlOf(root, 'a.jpg')}#1`, 'image_uri_invalid'],
    ['with a name that is too long', () => urlOf(root, 'a'.repeat(300)), 'image_uri_invalid'],
  ])('%s', async (_, uri, code) => {
    await expect(fetcherOf({}).fetch(uri())).rejects.toMatchObject({ code });
  });

  it('to a device', async () => {
    const fetcher = fetcherOf({ root: '/dev' });
    await expect(fetcher.fetch('file:///dev/zero')).rejects.toMatchObject({
      code: 'image_not_found',
    });
  });
});

describe('a store in trouble is not held against the image', () => {
  const errno = (code: string) => Object.assign(new Error(code), { code, errno: -1 });

  it('when the root is gone', async () => {
    const fetcher = fetcherOf({ root: join(base, 'unmounted') });
    const dependency = urlOf(base, 'unmounted');
    await expect(fetcher.fetch(urlOf(base, 'unmounted', 'a.jpg'))).rejects.toMatchObject({
      code: 'image_store_unavailable',
      disposition: 'retry',
      message: expect.stringContaining('is it mounted?'),
      dependency,
    });
    await expect(fetcher.probe(dependency)).resolves.toBe(false);
  });

  it.each(['EIO', 'EMFILE', 'ENFILE', 'ESTALE', 'ENOTCONN'])('on %s', async (code) => {
    const open = () => Promise.reject(errno(code));
    const fetcher = fetcherOf({ disk: { realpath: fs.realpath, open } });
    await expect(fetcher.fetch(urlOf(root, 'a.jpg'))).rejects.toMatchObject({
      code: 'image_store_unavailable',
      cause: { code },
      dependency: urlOf(root),
    });
  });

  it.each(['EACCES', 'EPERM'])('but one file that may not be read is: %s', async (code) => {
    const open = () => Promise.reject(errno(code));
    const fetcher = fetcherOf({ disk: { realpath: fs.realpath, open } });
    await expect(fetcher.fetch(urlOf(root, 'a.jpg'))).rejects.toMatchObject({
      code: 'image_forbidden',
      disposition: 'not-inspected',
    });
  });

  it.each(['EBADMSG', 'EWHATEVER', 'constructor', 'ERR_OUT_OF_RANGE'])(
    'but an unknown error of the disk, with one file, is: %s',
    async (code) => {
      const open = () => Promise.reject(errno(code));
      const fetcher = fetcherOf({ disk: { realpath: fs.realpath, open } });
      await expect(fetcher.fetch(urlOf(root, 'a.jpg'))).rejects.toMatchObject({
        code: 'image_unfetchable',
        message: expect.stringContaining(code),
      });
    },
  );
});

/** A disk on which files seem as small as `size` until they are read. */
function diskSaying(size: number) {
  const open = async (...parameters: Parameters<typeof fs.open>) => {
    const handle = await fs.open(...parameters);
    const stat = await handle.stat();
    return Object.assign(handle, { stat: () => Promise.resolve(Object.assign(stat, { size })) });
  };
  return { disk: { realpath: fs.realpath, open } };
}

describe('a file that grows while it is read', () => {
  it('is read to its end', async () => {
    const bytes = Buffer.alloc(100_000, 'grown');
    await fs.writeFile(join(root, 'growing.jpg'), bytes);
    const image = await fetcherOf(diskSaying(10)).fetch(urlOf(root, 'growing.jpg'));
    expect(image.equals(bytes)).toBe(true);
  });

  it('is refused once it is over the limit', async () => {
    await fs.writeFile(join(root, 'outgrown.jpg'), Buffer.alloc(MAX_BYTES + 1));
    await expect(
      fetcherOf(diskSaying(10)).fetch(urlOf(root, 'outgrown.jpg')),
    ).rejects.toMatchObject({ code: 'image_too_large' });
  });
});

describe('a file that changes while it is read', () => {
  /** A disk on which the file is written to behind the back of each reading, `times` times. */
  function diskWriting(file: string, times: number) {
    let written = 0;
    const open = async (...parameters: Parameters<typeof fs.open>) => {
      const handle = await fs.open(...parameters);
      const stat = handle.stat.bind(handle);
      let asked = 0;
      return Object.assign(handle, {
        stat: async () => {
          asked += 1;
          if (asked === 2 && written < times) {
            written += 1;
            await fs.appendFile(file, 'more');
          }
          return await stat();
        },
      });
    };
    return { disk: { realpath: fs.realpath, open } };
  }

  it('is read again, and served as it is in the end', async () => {
    const file = join(root, 'written.jpg');
    await fs.writeFile(file, 'some');
    const image = await fetcherOf(diskWriting(file, 2)).fetch(urlOf(file));
    expect(String(image)).toBe('somemoremore');
  });

  it('is given up when that does not end', async () => {
    const file = join(root, 'endless.jpg');
    await fs.writeFile(file, 'some');
    const fetcher = fetcherOf(diskWriting(file, Infinity));
    await expect(fetcher.fetch(urlOf(file))).rejects.toMatchObject({ code: 'image_unfetchable' });
  });
});

it('keeps a user name and a password out of its messages', async () => {
  const uri = 'file://me:secret@nas/a.jpg';
  const error: unknown = await fetcherOf({})
    .fetch(uri)
    .catch((error: unknown) => error);
  expect(error).toMatchObject({ code: 'image_uri_invalid' });
  expect((error as Error).message).not.toContain('secret');
});
