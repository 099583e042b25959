import { describe, expect, it } from '@jest/globals';
import { createEventDecoder } from '../src/events/event-decoder.ts';
import { flowOf, flowWithinPartition } from '../src/flows.ts';
import { anImageEvent, aRecord, asJson } from './support/builders.ts';

const events = createEventDecoder();
const ofTenant = (tenant: string | null) => aRecord({ value: asJson(anImageEvent({ tenant })) });

describe('the flow of a record', () => {
  it('is its partition, which needs no look into it', () => {
    expect(flowWithinPartition('partition', events)).toBeUndefined();
    expect(flowOf('partition', aRecord({ topic: 'images', partition: 3 }), 'acme')).toBe(
      'images/3/',
    );
  });

  it('is its tenant; none for a record without one, and for one that cannot be decoded', async () => {
    const flow = flowWithinPartition('tenant', events);
    const broken = aRecord({ value: Buffer.from('{') });
    const flows: Array<string | undefined> = [];
    for (const record of [ofTenant('acme'), ofTenant(null), broken])
      flows.push(await flow?.(record));
    expect(flows).toEqual(['acme', '', '']);
    expect(flowOf('tenant', aRecord({ topic: 'images', partition: 3 }), 'acme')).toBe(
      'images/3/acme',
    );
  });

  it('is one of 256 by its key, the same for the same key', async () => {
    const flow = flowWithinPartition('key', events);
    const keys = Array.from({ length: 2_000 }, (_, n) => Buffer.from(`key ${n}`));
    const flows: Array<string | undefined> = [];
    for (const key of keys) flows.push(await flow?.(aRecord({ key })));
    expect(new Set(flows).size).toBe(256);
    expect(await flow?.(aRecord({ key: Buffer.from('key 7') }))).toBe(flows[7]);
    expect(await flow?.(aRecord({ key: null }))).toBe('');
  });
});
