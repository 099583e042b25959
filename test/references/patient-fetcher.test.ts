import { expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import type { OpenFetcher } from '../../src/references/image-fetcher.ts';
import { withLimitedPatience } from '../../src/references/patient-fetcher.ts';
import { FakeClock } from '../support/fake-clock.ts';

const away = new AppError('image_store_unavailable', 'fetching image http://a/b: no answer', {
  dependency: 'http://a',
});

/** A fetcher that fails with each of `errors` in turn and serves what comes after. */
function failing(...errors: Error[]) {
  const clock = new FakeClock();
  let asked = 0;
  const fetcher: OpenFetcher = {
    schemes: ['http'],
    probe: () => Promise.resolve(true),
    fetch: () => {
      const error = errors[asked];
      asked += 1;
      return error ? Promise.reject(error) : Promise.resolve(Buffer.from('x'));
    },
    close: () => Promise.resolve(),
  };
  return {
    clock,
    asked: () => asked,
    patient: withLimitedPatience(fetcher, { attempts: 3, clock }),
  };
}

it('asks again, each time after a while', async () => {
  const { clock, asked, patient } = failing(away, away);
  const fetched = patient.fetch('http://a/b');
  await clock.advance(0);
  expect(asked()).toBe(1);
  await clock.advance(1_000);
  await expect(fetched).resolves.toEqual(Buffer.from('x'));
  expect(asked()).toBe(3);
});

it('gives the reference up after the last attempt', async () => {
  const { clock, asked, patient } = failing(away, away, away);
  const fetched = patient.fetch('http://a/b').catch((error: unknown) => error);
  await clock.advance(1_000);
  await expect(fetched).resolves.toMatchObject({
    code: 'image_host_unavailable',
    disposition: 'not-inspected',
    message: 'fetching image http://a/b: no answer; given up after 3 attempts',
    cause: away,
    dependency: 'http://a',
  });
  expect(asked()).toBe(3);
});

it.each([
  ['an answer about the image', new AppError('image_not_found', 'fetching image http://a/b: 404')],
  ['an error that nobody foresaw', new TypeError('surprise')],
])('passes on %s at once', async (_, error) => {
  const { asked, patient } = failing(error);
  await expect(patient.fetch('http://a/b')).rejects.toBe(error);
  expect(asked()).toBe(1);
});

it('waits no longer once it is aborted', async () => {
  const { clock, patient } = failing(away, away);
  const abort = new AbortController();
  const fetched = patient.fetch('http://a/b', abort.signal).catch((error: unknown) => error);
  await clock.advance(0);
  abort.abort();
  await expect(fetched).resolves.toBe(away);
});
