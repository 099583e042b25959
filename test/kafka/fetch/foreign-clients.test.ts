import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createEventDecoder } from '../../../src/events/event-decoder.ts';
import { CONTRACTS } from '../../../src/events/schemas.ts';
import {
  CODECS,
  COMBINATIONS,
  expectedRecords,
  RECORDS,
  SCHEMA_ID,
  type Combination,
} from '../../support/foreign-clients.ts';
import { MemorySchemaRegistry } from '../../support/memory-schema-registry.ts';
import { decode } from './decoding.ts';

const registry = new MemorySchemaRegistry();
registry.schemas.push(...Array<string>(SCHEMA_ID - 1).fill('"null"'), CONTRACTS.imageEvent.text);
const decoder = createEventDecoder({ registry });

/** A partition's log as the client wrote it: see the README there. */
const logOf = ({ name }: Combination): Buffer =>
  readFileSync(new URL(`../../fixtures/foreign-clients/batches/${name}.log`, import.meta.url));

/** Each batch's codec number, without markers of transactions (Kafka docs, "Record Batch": attributes). */
function codecsOf(log: Buffer): number[] {
  const codecs: number[] = [];
  for (let at = 0; at < log.length; at += 12 + log.readInt32BE(at + 8)) {
    const attributes = log.readInt16BE(at + 21);
    if ((attributes & 0x20) === 0) codecs.push(attributes & 0x7);
  }
  return codecs;
}

describe('batches of other clients', () => {
  it.each(COMBINATIONS)('are read as they were written: $name', async (combination) => {
    const log = logOf(combination);
    const { codec, mode } = combination;
    expect(new Set(codecsOf(log))).toEqual(new Set([CODECS.indexOf(codec)]));
    // The broker's answer names the aborted transaction, which is the first.
    const aborted = [{ producerId: Number(log.readBigInt64BE(43)), firstOffset: 0 }];
    const partition = await decode([log], {}, mode === 'transactional' ? { aborted } : {});
    const messages = [...partition.records];
    const found = messages.filter(({ isControlRecord }) => !isControlRecord);
    const read = await Promise.all(
      found.map(async ({ key, value, headerList: headers }) => ({
        key: key?.toString() ?? null,
        headers,
        event: await decoder.decode(value, headers),
      })),
    );
    const expected = expectedRecords(combination);
    expect(read).toEqual(expected.map(({ key, headers, event }) => ({ key, headers, event })));
    // Without an aborted transaction of the same size and two markers the fixture would show less than it says.
    const written = expected.length;
    const before = mode === 'transactional' ? written + 1 : 0;
    expect(found.map(({ position }) => position)).toEqual(
      Array.from({ length: 3 * RECORDS }, (_, index) => before + index),
    );
    expect(partition.nextOffset).toBe(mode === 'transactional' ? 2 * written + 2 : written);
  });
});
