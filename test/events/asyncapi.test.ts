import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser, fromFile } from '@asyncapi/parser';
import { packageFile } from '../../src/package-files.ts';
import { cloudEventHeaders, verdictCloudEvent } from '../../src/events/cloud-events.ts';
import { redrivenHeaders } from '../../src/events/origin.ts';
import { redriveNote } from '../../src/events/redrive-note.ts';
import { aVerdict } from '../support/builders.ts';

const parser = new Parser();
parser.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await fromFile(parser, packageFile('asyncapi.yaml')).parse();

describe('asyncapi.yaml', () => {
  it('is valid and draws no warning', () => {
    // 3.0.0 on purpose: 3.1.0 adds nothing here, and fewer tools read it.
    const faults = diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version');
    expect(faults.map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([]);
    expect(document?.version()).toBe('3.0.0');
  });

  it('names every topic with what flows through it and which way', () => {
    const flows = document
      ?.operations()
      .all()
      .map((operation) => [
        operation.action(),
        operation.channels().all()[0]?.address(),
        operation.messages().all()[0]?.name(),
      ]);
    expect(flows).toEqual([
      ['receive', 'image-events', 'ImageEvent'],
      ['send', 'moderation-verdicts', 'Verdict'],
      ['send', 'moderation-dead-letters', 'DeadLetter'],
      ['send', 'moderation-embeddings', 'Embedding'],
    ]);
  });

  it('takes the payloads from the schemas that ship', () => {
    const fields = (file: string) =>
      (
        JSON.parse(readFileSync(packageFile(`schemas/${file}`), 'utf8')) as {
          fields: { name: string }[];
        }
      ).fields.map(({ name }) => name);
    const message = document
      ?.messages()
      .all()
      .find((one) => one.name() === 'Verdict');
    expect(Object.keys(message?.payload()?.properties() ?? {})).toEqual(fields('verdict.v1.avsc'));
  });

  it('describes the headers that verdicts have', () => {
    const message = document
      ?.messages()
      .all()
      .find((one) => one.name() === 'Verdict');
    const described = message?.headers();
    const sent = cloudEventHeaders(verdictCloudEvent(aVerdict()), 'application/json');
    const names = sent.map(({ name }) => name);
    expect(Object.keys(described?.properties() ?? {})).toEqual(expect.arrayContaining(names));
    expect(names).toEqual(expect.arrayContaining(described?.required() ?? []));
  });

  it('describes the headers of redriven records and of the notes about them', () => {
    const headersOf = (name: string) =>
      Object.keys(
        document
          ?.messages()
          .all()
          .find((one) => one.name() === name)
          ?.headers()
          ?.properties() ?? {},
      );
    const origin = { topic: 'images', partition: 0, offset: 0 };
    const redriven = redrivenHeaders(
      [],
      { topic: 'images', key: null, value: null, origin, attempts: 1 },
      'a key',
    ).map(({ name }) => name);
    expect(headersOf('ImageEvent')).toEqual(expect.arrayContaining(redriven));
    expect(headersOf('RedriveNote')).toEqual(redriveNote(origin, origin).map(({ name }) => name));
  });
});
