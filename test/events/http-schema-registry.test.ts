import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createSchemaRegistry } from '../../src/events/http-schema-registry.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: Answer): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json =
  (status: number, body: unknown): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
const text =
  (status: number, body: string): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'text/html' }).end(body);
  };

describe('schemaOf', () => {
  it.each<[string, Answer, string]>([
    ['an unknown id', json(404, { error_code: 40403, message: 'no' }), 'event_schema_unknown'],
    ['a wrong path', json(404, { error_code: 404, message: 'HTTP 404' }), 'registry_unavailable'],
    ['the 404 page of a proxy', text(404, '<h1>Not found</h1>'), 'registry_unavailable'],
    ['a page in place of an answer', text(200, '<h1>Welcome</h1>'), 'registry_unavailable'],
    ['an error of the server', json(500, { error_code: 50001 }), 'registry_unavailable'],
    ['an empty 503', text(503, ''), 'registry_unavailable'],
    ['too many requests', text(429, ''), 'registry_unavailable'],
    ['wrong credentials', json(401, { error_code: 401 }), 'registry_rejected'],
    ['missing rights', json(403, { error_code: 40301 }), 'registry_rejected'],
    ['a connection cut short', (request) => request.socket.destroy(), 'registry_unavailable'],
    ['JSON Schema', json(200, { schemaType: 'JSON', schema: '{}' }), 'event_schema_incompatible'],
    ['no schema at all', json(200, {}), 'event_schema_unknown'],
  ])('takes %s for what it is', async (_, answer, code) => {
    const registry = createSchemaRegistry({ url: await serve(answer) });
    await expect(registry.schemaOf(7)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^looking up schema 7: /),
    });
  });

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
    ['407', json(407, {}), 'registry_unavailable', /a proxy wants credentials \(407\)/],
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

  it('asks for a GUID where the API has them', async () => {
    const paths: string[] = [];
    const url = await serve((request, response) => {
      paths.push(request.url ?? '');
      json(200, { schema: '"int"' })(request, response);
    });
    const guid = '89791762-2336-4186-9674-299b90a802e2';
    await createSchemaRegistry({ url }).schemaOf(guid);
    expect(paths).toEqual([`/schemas/guids/${guid}`]);
  });

  it('holds records while nothing listens, and says what happened', async () => {
    const url = await serve(() => undefined);
    await new Promise((closed) => servers.pop()?.close(closed));
    const registry = createSchemaRegistry({ url });
    await expect(registry.schemaOf(1)).rejects.toMatchObject({
      code: 'registry_unavailable',
      disposition: 'retry',
      message: expect.stringContaining(`${url} does not answer`),
      cause: expect.anything(),
    });
  });

  it('does not wait for ever for a registry that hangs, before its headers or within its body', async () => {
    const silent = await serve(() => undefined);
    const stuck = await serve((_, response) => {
      response.writeHead(200).write('{"schema":');
    });
    for (const url of [silent, stuck]) {
      await expect(createSchemaRegistry({ url, timeoutMs: 50 }).schemaOf(1)).rejects.toMatchObject({
        code: 'registry_unavailable',
        message: expect.stringContaining('no answer in 50 ms'),
      });
    }
  });

  it('authorises itself, and never puts the password into a message', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      json(401, { error_code: 401, message: 'no' })(request, response);
    });
    const registry = createSchemaRegistry({ url, username: 'moderato', password: 'hush' });

    const error: unknown = await registry.schemaOf(1).catch((e: unknown) => e);

    expect(seen).toEqual([`Basic ${Buffer.from('moderato:hush').toString('base64')}`]);
    expect(String(error)).not.toContain('hush');
    expect(String(error)).toContain('MODERATO_REGISTRY_PASSWORD');
  });

  it('sends no credentials where none are configured', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      json(200, { schema: '"string"' })(request, response);
    });
    await createSchemaRegistry({ url: `${url}/` }).schemaOf(1);
    expect(seen).toEqual([undefined]);
  });

  it('refuses credentials within the URL without repeating them', () => {
    const create = () => createSchemaRegistry({ url: 'http://user:hush@127.0.0.1:1' });
    expect(create).toThrow('registry.url must not hold credentials');
    expect(create).not.toThrow('hush');
  });

  it('fetches what a schema refers to, each once', async () => {
    const paths: string[] = [];
    const source = { type: 'record', name: 'ImageSource', namespace: 'a', fields: [] };
    const pair = { type: 'record', name: 'b.Pair', fields: [{ name: 's', type: 'a.ImageSource' }] };
    const event = {
      type: 'record',
      name: 'b.Event',
      fields: [
        { name: 'image', type: 'a.ImageSource' },
        { name: 'pair', type: 'b.Pair' },
      ],
    };
    const toSource = { name: 'a.ImageSource', subject: 'sources/v1', version: 2 };
    const toPair = { name: 'b.Pair', subject: 'pairs', version: 1 };
    const answers: Record<string, unknown> = {
      '/schemas/ids/4': { schema: JSON.stringify(event), references: [toSource, toPair] },
      '/subjects/sources%2Fv1/versions/2': { schema: JSON.stringify(source) },
      '/subjects/pairs/versions/1': { schema: JSON.stringify(pair), references: [toSource] },
    };
    const url = await serve((request, response) => {
      paths.push(request.url ?? '');
      json(200, answers[request.url ?? ''])(request, response);
    });

    const { schema, references } = await createSchemaRegistry({ url }).schemaOf(4);

    expect(JSON.parse(schema)).toEqual(event);
    expect(references.map((each) => JSON.parse(each) as unknown)).toEqual([source, pair]);
    expect(paths).toEqual(Object.keys(answers));
  });
});

describe('register', () => {
  /** A registry that has no subject yet; records what is asked. */
  async function emptyRegistry(level: string) {
    const asked: string[] = [];
    const answers: Record<string, Answer> = {
      'GET /config': json(200, { compatibilityLevel: level }),
      'PUT /config/v-value': json(200, {}),
      'POST /subjects/v-value/versions': json(200, { id: 5 }),
    };
    const noSubject = json(404, { error_code: 40401, message: 'no subject' });
    const url = await serve((request, response) => {
      const line = `${request.method ?? ''} ${request.url ?? ''}`;
      asked.push(line);
      (answers[line] ?? noSubject)(request, response);
    });
    return { registry: createSchemaRegistry({ url }), asked };
  }

  it('gives a new subject BACKWARD where the registry would check nothing', async () => {
    const { registry, asked } = await emptyRegistry('NONE');
    expect(await registry.register('v-value', '"string"')).toBe(5);
    expect(asked).toContain('PUT /config/v-value');
    expect(asked.at(-1)).toBe('POST /subjects/v-value/versions');
  });

  it('leaves the level alone where the registry has one', async () => {
    const { registry, asked } = await emptyRegistry('FULL_TRANSITIVE');
    await registry.register('v-value', '"string"');
    expect(asked).toEqual([
      'POST /subjects/v-value',
      'GET /config',
      'POST /subjects/v-value/versions',
    ]);
  });

  it('writes nothing when the schema is there, so that read-only credentials do', async () => {
    const asked: string[] = [];
    const url = await serve((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      json(200, { id: 8, version: 1 })(request, response);
    });
    expect(await createSchemaRegistry({ url }).register('v-value', '"string"')).toBe(8);
    expect(asked).toEqual(['POST /subjects/v-value']);
  });

  it.each([
    [409, 'registry_rejected', /breaks the subject's compatibility level/],
    [422, 'registry_rejected', /answered 422/],
    [403, 'registry_rejected', /what that user may do/],
    [500, 'registry_unavailable', /answered 500/],
  ])('takes %d for %s', async (status, code, message) => {
    const url = await serve(json(status, { error_code: status, message: 'because' }));
    await expect(createSchemaRegistry({ url }).register('v-value', '"int"')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
