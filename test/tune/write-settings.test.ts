import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { packageFile } from '../../src/package-files.ts';
import { writeSettings, type YamlChange } from '../../src/tune/write-settings.ts';

const workers: YamlChange = { path: ['model', 'workers'], value: 2, comment: 'today: faster' };
const batch: YamlChange = { path: ['batching', 'maxBatchSize'], value: 16, comment: 'fuller' };

const example = readFileSync(packageFile('moderato.yaml'), 'utf8');

describe('writeSettings', () => {
  it('leaves a text to which nothing changes as it is', () => {
    expect(writeSettings('a:   1   # x\n', [])).toBe('a:   1   # x\n');
  });

  it('adds keys to a section that is there, and sections that are not, each with its comment', () => {
    expect(writeSettings(example, [workers, batch])).toBe(
      `${example.replace('model:\n', 'model:\n  # tuned today: faster\n  workers: 2\n')}
batching:
  # tuned fuller
  maxBatchSize: 16
`,
    );
  });

  it('keeps comments, order and values that it knows nothing of', () => {
    const text = [
      '# head',
      'batching:',
      '    maxBatchSize: 8 # as the bench says',
      '',
      '# about the model',
      'model:',
      '    # a folder',
      "    path: 'x' # quoted",
      '    workers: 1',
      '    devices:',
      '    - 0',
      'other:   { a: [1,2] }   # as it was',
      '# end',
      '',
    ];
    const written = writeSettings(text.join('\n'), [workers, batch]).split('\n');
    const expected = text
      .with(2, '    # tuned fuller\n    maxBatchSize: 16 # as the bench says')
      .with(8, '    # tuned today: faster\n    workers: 2');
    expect(written).toEqual(expected.join('\n').split('\n'));
  });

  it('replaces its own comment the next time, and nobody else’s', () => {
    const text = 'model:\n  # ours, since May\n  workers: 4\n  path: x\n';
    const first = writeSettings(text, [workers]);
    const second = writeSettings(first, [{ ...workers, value: 3, comment: 'tomorrow' }]);
    expect(second).toBe(
      'model:\n  # ours, since May\n  # tuned tomorrow\n  workers: 3\n  path: x\n',
    );
    const later = 'model:\n  path: x\n  workers: 4\n';
    expect(writeSettings(writeSettings(later, [workers]), [workers])).toBe(
      'model:\n  path: x\n  # tuned today: faster\n  workers: 2\n',
    );
  });

  it('opens a section that is written on one line', () => {
    expect(writeSettings('model: { path: x, workers: 1 }\n', [workers])).toBe(
      'model:\n  path: x\n  # tuned today: faster\n  workers: 2\n',
    );
  });

  it('does not change what shares its text with a section', () => {
    const written = writeSettings('other: &m { workers: 1, path: x }\nmodel: *m\n', [workers]);
    expect(parse(written)).toEqual({
      other: { workers: 1, path: 'x' },
      model: { workers: 2, path: 'x' },
    });
    const shared = writeSettings('model: &m { workers: 1 } # one\nother: *m\n', [workers]);
    expect(shared).toBe('model: &m\n  # tuned today: faster\n  workers: 2 # one\nother: *m\n');
  });

  it.each(['model: {}\n', '{"model": {"path": "x"}}', 'a: 1', 'model:\n  path: x', 'a: 1\n# end'])(
    'writes into %j',
    (text) => {
      const written = writeSettings(text, [workers, batch]);
      const before = parse(text) as { model?: object };
      expect(parse(written)).toEqual({
        ...before,
        model: { ...before.model, workers: 2 },
        batching: { maxBatchSize: 16 },
      });
      expect(written.match(/# tuned/g)).toHaveLength(2);
      expect(writeSettings(written, [workers, batch])).toBe(written);
    },
  );

  it('keeps long lines whole', () => {
    const long = `path: ${'word '.repeat(60)}end`;
    expect(writeSettings(`model:\n  ${long}\n`, [workers])).toContain(long);
  });
});
