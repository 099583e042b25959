import { afterEach, describe, expect, it } from '@jest/globals';
import { createSchemaRegistry } from '../../src/events/http-schema-registry.ts';
import { json, serve, stopServing, text, type Answer } from '../support/answering-server.ts';

afterEach(stopServing);

describe('an answer for an id', () => {
  /** A registry that answers `/schemas/ids/7` its own way, and whatever else like any other. */
  const withOneBadId =
    (bad: Answer, types: Answer = json(200, ['AVRO'])): Answer =>
    (request, response) => {
      const isBad = request.url === '/schemas/ids/7';
      const other = request.url === '/schemas/types' ? types : json(404, { error_code: 40401 });
      (isBad ? bad : other)(request, response);
    };
  const forbidden = json(403, { error_code: 40301, message: 'User is denied operation' });
  const nested = `{"schema":${'['.repeat(2_000)}${']'.repeat(2_000)}}`;

  it.each<[string, Answer, string, RegExp]>([
    ['400', json(400, { error_code: 400, message: 'no' }), 'event_schema_unknown', /400 \(no\)/],
    ['403 for this id', withOneBadId(forbidden), 'event_schema_unknown', /403 \(User is denied/],
    ['403 for all', forbidden, 'registry_rejected', /check registry\.username/],
    ['404 of a proxy, for this id', withOneBadId(text(404, '<p>')), 'event_schema_unknown', /404/],
    [
      '404 of an older API',
      withOneBadId(json(404, { error_code: 404 })),
      'event_schema_unknown',
      /404/,
    ],
    ['407', json(407, {}), 'registry_unavailable', /does not answer/],
    ['408', json(408, {}), 'registry_unavailable', /408/],
    ['410', json(410, {}), 'event_schema_unknown', /410/],
    ['422', json(422, { error_code: 42201 }), 'event_schema_unknown', /422/],
    ['429', json(429, {}), 'registry_unavailable', /429/],
    ['503', json(503, {}), 'registry_unavailable', /503/],
    ['no JSON, for this id', withOneBadId(text(200, '<p>')), 'event_schema_unknown', /200/],
    [
      'no JSON, while the rest fails',
      withOneBadId(text(200, ''), json(500, {})),
      'registry_unavailable',
      /500/,
    ],
    [
      'a reference that is null',
      json(200, { schema: '"int"', references: [null] }),
      'event_schema_unknown',
      /references\.0/,
    ],
    [
      'a reference without a version',
      json(200, { schema: '"int"', references: [{ subject: 's' }] }),
      'event_schema_unknown',
      /references\.0\.version/,
    ],
    [
      'a schema that is an object',
      json(200, { schema: {} }),
      'event_schema_unknown',
      /not of the expected shape \(schema/,
    ],
    ['null', json(200, null), 'event_schema_unknown', /not of the expected shape/],
    ['a list', json(200, []), 'event_schema_unknown', /not of the expected shape/],
    ['a deep list', text(200, nested), 'event_schema_unknown', /nested deeper than 256/],
    [
      'more than a record may ask for',
      text(200, JSON.stringify({ schema: 'x'.repeat(5_000_000) })),
      'event_schema_unknown',
      /more than 4194304 bytes/,
    ],
  ])('tells whose fault it is: %s', async (_, answer, code, message) => {
    const registry = createSchemaRegistry({ url: await serve(answer) });
    await expect(registry.schemaOf(7)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('does not read an answer without end to its end', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    });
    await expect(createSchemaRegistry({ url }).schemaOf(7)).rejects.toMatchObject({
      code: 'event_schema_unknown',
    });
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('repeats the words of the registry on one line, clean and short', async () => {
    const message = `a\nb\u0000\u202e${'c'.repeat(10_000)}\ud800`;
    const url = await serve(json(422, { error_code: 42201, message }));
    const error: unknown = await createSchemaRegistry({ url })
      .schemaOf(7)
      .catch((e: unknown) => e);
    expect(String(error)).toMatch(/answered 422 \(a b c+\); was the record published/);
    expect(String(error).length).toBeLessThan(500);
  });

  it('does not follow references round and round, nor endlessly', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked++;
      const next = Number(/(\d+)$/.exec(request.url ?? '')?.[1]) + 1;
      const references = [
        { subject: 'self', version: 1 },
        { subject: 'more', version: next },
      ];
      json(200, { schema: '"int"', references })(request, response);
    });
    await expect(createSchemaRegistry({ url }).schemaOf(7)).rejects.toMatchObject({
      code: 'event_schema_unknown',
      message: expect.stringContaining('refers to more than 32 schemas'),
    });
    expect(asked).toBeLessThan(40);
  });

  it('takes a reference that is gone for the fault of the record', async () => {
    const url = await serve((request, response) => {
      const isId = request.url === '/schemas/ids/7';
      const references = [{ subject: 's', version: 3 }];
      const answer = isId
        ? json(200, { schema: '"int"', references })
        : json(404, { error_code: 40402, message: 'Version 3 not found.' });
      answer(request, response);
    });
    await expect(createSchemaRegistry({ url }).schemaOf(7)).rejects.toMatchObject({
      code: 'event_schema_unknown',
      message: expect.stringMatching(/^looking up schema 7: it refers to s version 3: .*not found/),
    });
  });
});
