import { describe, expect, it } from '@jest/globals';
import type { WireFormat } from '../../src/events/message-encoder.ts';
import type { Verdict } from '../../src/events/types.generated.ts';
import { DEFAULT_LIMIT_BYTES, LEAST_LIMIT_BYTES } from '../../src/producers/message-bounds.ts';
import type { Emission } from '../../src/producers/verdict-sink.ts';
import { aPolicyResult, aVerdict } from '../support/builders.ts';
import { aHeader, fitted, textOf } from '../support/fitted.ts';
import { anEmission } from '../support/verdict-sink-conformance.ts';

describe.each<WireFormat>(['json', 'avro'])('a verdict that is too large, in %s', (format) => {
  const shrink = (emission: Partial<Emission>, limit?: number) =>
    fitted(anEmission('v', emission), { format, ...(limit && { limit }) });

  it('loses its largest headers first, and keeps the small ones and the trace', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { verdict, content } = await shrink({
      headers: [
        aHeader('huge', 2_000_000),
        { name: 'traceparent', value: Buffer.from(trace) },
        aHeader('large', 9_000),
        aHeader('small', 100),
      ],
    });
    expect(content.shrunk).toEqual(['headers']);
    expect(textOf(verdict, 'traceparent')).toBe(trace);
    const names = verdict.headers.map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(['traceparent', 'large', 'small']);
  });

  it('loses its largest labels, and keeps the small ones', async () => {
    const labels = { huge: 'x'.repeat(2_000_000), large: 'y'.repeat(5_000), form: 'avatar' };
    const { content } = await shrink({ verdict: aVerdict({ labels }) });
    expect(content.labels).toEqual({ large: labels.large, form: 'avatar' });
    expect(content.shrunk).toEqual(['labels']);
  });

  it('has its texts cut, in whole characters, with an ellipsis', async () => {
    const verdict = aVerdict({ eventId: '😀'.repeat(125_000), tenant: 't'.repeat(9_000) });
    const { content, verdict: message } = await shrink({ verdict });
    expect(content.shrunk).toEqual(['texts']);
    expect(content.eventId).toBe(`${'😀'.repeat(255)}…`);
    expect(content.tenant).toBe(`${'t'.repeat(1_021)}…`);
    expect(textOf(message, 'ce_subject')).toBe(content.eventId);
    expect(content.policies).toEqual(verdict.policies);
  });

  it('has a large key replaced by its digest, and stays in the partition of the whole one', async () => {
    const key = Buffer.alloc(500_000, 'k');
    const { verdict, content } = await shrink({ key });
    expect(content.shrunk).toEqual(['key']);
    expect(String(verdict.key)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(verdict.partitionKey).toBe(key);
    const other = await shrink({ key: Buffer.alloc(500_001, 'k') });
    expect(other.verdict.key).not.toEqual(verdict.key);
  });

  it('keeps the results that decided, when there are too many', async () => {
    const many = Array.from({ length: 200 }, (_, at) =>
      aPolicyResult({ id: `policy-${at}`, band: at === 7 ? 'block' : 'allow' }),
    );
    const shadow = aPolicyResult({ id: 'shadow', mode: 'shadow' });
    const verdict = aVerdict({ policies: [...many, shadow], labels: { a: 'b' } });
    const { content } = await shrink({ verdict });
    expect(content.policies.map(({ id }) => id)).toEqual(['policy-7']);
    expect(content.shrunk).toEqual(['labels', 'policies']);
    expect(content.outcome).toBe('block');
  });

  it('is brought down to what identifies it, in 4 KiB, whatever the input was', async () => {
    const long = '\u0001'.repeat(271_000);
    const decided = Array.from({ length: 50 }, (_, at) =>
      aPolicyResult({ id: `${at}${long.slice(0, 300)}`, prompt: long }),
    );
    const verdict: Verdict = aVerdict({
      input: {
        topic: 't'.repeat(249),
        partition: 2 ** 31 - 1,
        offset: Number.MAX_SAFE_INTEGER - 1,
      },
      verdictId: 'f'.repeat(32),
      occurredAt: -(2 ** 52),
      eventId: long,
      source: long,
      tenant: long,
      labels: { [long]: long },
      policies: decided,
      reason: { code: 'image_host_unavailable', message: long, stage: 'fetch', requested: 'block' },
      model: {
        id: long,
        hash: 'a'.repeat(64),
        preprocessing: long,
        executionProvider: 'tensorrt',
      },
      image: {
        sha256: 'b'.repeat(64),
        bytes: 20_971_520,
        format: 'jpeg',
        width: 65_535,
        height: 65_535,
        frames: 10_000,
        damaged: false,
        views: 64,
        pdq: { hash: 'c'.repeat(64), quality: 100 },
      },
      timings: {
        fetchMs: 1234.567890123456,
        decodeMs: 1234.567890123456,
        queueMs: 1234.567890123456,
        inferMs: 1234.567890123456,
        totalMs: 12345.67890123456,
      },
    });
    const { content, verdict: message } = await shrink(
      {
        verdict,
        key: Buffer.alloc(100_000),
        headers: [
          { name: 'traceparent', value: Buffer.alloc(55, '0') },
          { name: 'tracestate', value: Buffer.alloc(512, 's') },
          { name: 'moderato-origin', value: Buffer.alloc(277, 'o') },
          { name: 'moderato-attempts', value: Buffer.from('1234567890') },
          { name: 'traceparent', value: Buffer.alloc(55, '1') },
        ],
      },
      LEAST_LIMIT_BYTES,
    );
    expect(content).toMatchObject({
      verdictId: verdict.verdictId,
      outcome: 'block',
      input: verdict.input,
      image: verdict.image,
      reason: { code: 'image_host_unavailable', requested: 'block' },
    });
    // All policies decided, so that the step that keeps those has nothing to leave out.
    expect(content.shrunk).toEqual(['labels', 'texts', 'key', 'minimal']);
    expect(message.headers.map(({ name }) => name).slice(0, 3)).toEqual([
      'traceparent',
      'moderato-origin',
      'moderato-attempts',
    ]);
  });
});

describe('271 kB of control characters in a label', () => {
  it('are 1.6 MB in JSON, and leave a verdict without that label', async () => {
    const labels = { form: 'avatar', noise: '\u0001'.repeat(271_000) };
    const emission = anEmission('v', { verdict: aVerdict({ labels }) });
    const { content } = await fitted(emission, { limit: DEFAULT_LIMIT_BYTES });
    expect([content.labels, content.shrunk]).toEqual([{ form: 'avatar' }, ['labels']]);
    const avro = await fitted(emission, { limit: DEFAULT_LIMIT_BYTES, format: 'avro' });
    expect([avro.content.labels, avro.shrunk]).toEqual([labels, []]);
  });
});
