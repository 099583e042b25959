import { afterEach, describe, expect, it } from '@jest/globals';
import { createSchemaRegistry } from '../../src/events/http-schema-registry.ts';
import { json, serve, stopServing, text, type Answer } from '../support/answering-server.ts';

afterEach(stopServing);

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
    stopServing();
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
