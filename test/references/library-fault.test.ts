import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/errors.ts';
import { fileFault } from '../../src/references/file-faults.ts';
import { exchangeFault } from '../../src/references/http-faults.ts';
import { chunksOf, fromLibrary, LibraryFault } from '../../src/references/library-fault.ts';
import { s3Fault } from '../../src/references/s3-faults.ts';

/** Whatever a library may throw: its own errors, other people's objects, and what is no error at all. */
const thrown = fc.oneof(
  fc.anything(),
  fc.record({
    code: fc.oneof(fc.string(), fc.anything()),
    name: fc.oneof(fc.string(), fc.anything()),
  }),
  fc.constantFrom('constructor', 'toString', '__proto__').map((code) => ({ code, name: code })),
);

const throwing = (error: unknown) => () =>
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- libraries may
  Promise.reject(error);

async function faultOf(error: unknown): Promise<LibraryFault> {
  const fault: unknown = await fromLibrary(throwing(error)).catch((it: unknown) => it);
  if (!(fault instanceof LibraryFault)) throw new TypeError('no LibraryFault');
  return fault;
}

describe('whatever a library throws for one reference', () => {
  it('has a code, and is an AppError that stops no process', async () => {
    const property = fc.asyncProperty(thrown, fc.nat(599), async (error, status) => {
      const fault = await faultOf(error);
      const occasion = { name: 'a', dependency: 's3://b', status, isOfOtherService: false };
      for (const coded of [
        exchangeFault('a', 'http://b', fault),
        fileFault('a', 'file:///b', fault),
        s3Fault(occasion, fault),
      ]) {
        expect(coded).toBeInstanceOf(AppError);
        expect(['not-inspected', 'retry']).toContain(coded.disposition);
        expect(coded.dependency === undefined).toBe(coded.disposition !== 'retry');
      }
    });
    await fc.assert(property);
  });

  it.each(['constructor', 'UND_ERR_UNHEARD_OF', 'Z_DATA_ERROR', 'ERR_INVALID_ARG_TYPE'])(
    'is no outage under a code that no table knows: %s',
    async (code) => {
      const fault = await faultOf(Object.assign(new TypeError('?'), { code }));
      const expected = { code: 'image_unfetchable', message: expect.stringContaining(code) };
      const occasion = { name: 'a', dependency: 's3://b', status: 0, isOfOtherService: false };
      expect(exchangeFault('a', 'http://b', fault)).toMatchObject(expected);
      expect(fileFault('a', 'file:///b', fault)).toMatchObject(expected);
      expect(s3Fault(occasion, fault)).toMatchObject(expected);
    },
  );

  it('does not repeat a URL of the message, which may hold a password', async () => {
    const fault = await faultOf(new TypeError('Failed to parse http://me:secret@host/'));
    expect(exchangeFault('a', 'http://b', fault).message).not.toContain('secret');
  });
});

describe('passes through', () => {
  it('an AppError that a callback threw inside the library', async () => {
    const refused = new AppError('image_url_refused', 'no');
    await expect(fromLibrary(throwing(refused))).rejects.toBe(refused);
  });

  it('the error of who reads a stream, which is a mistake of ours and stays fatal', async () => {
    const mistake = new TypeError('undefined is not a function');
    const stream = async function* () {
      await Promise.resolve();
      yield Buffer.from('x');
    };
    const read = async () => {
      for await (const chunk of chunksOf(stream())) if (chunk.length > 0) throw mistake;
    };
    await expect(read()).rejects.toBe(mistake);
  });
});

it('the error of a stream itself is the library’s', async () => {
  const stream = async function* () {
    yield await Promise.resolve(Buffer.from('x'));
    throw Object.assign(new Error('lost'), { code: 'ECONNRESET' });
  };
  const read = async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of chunksOf(stream())) chunks.push(chunk);
  };
  await expect(read()).rejects.toMatchObject({ name: 'LibraryFault', code: 'ECONNRESET' });
});
