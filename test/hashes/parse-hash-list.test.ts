import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { csvField, parseCsvLine } from '../../src/hashes/csv-line.ts';
import type { ListEntry } from '../../src/hashes/hash-list.ts';
import { parseHashList } from '../../src/hashes/parse-hash-list.ts';
import type { HashType } from '../../src/hashes/text-lines.ts';

const A = 'f8f8f0cce0f4e84d0e370a22028f67f0b36e2ed596623e1d33e6339c4e9c9b22';
const B = 'b0a10efd71cc3f429413d48d0ffffe12e34e0e17ada952a9d29684210aa9e5af';

const parse = (text: string, hashType: HashType = 'auto') => parseHashList(text, hashType, 'l.csv');

function faultsOf(text: string, hashType: HashType = 'auto'): string {
  try {
    parse(text, hashType);
  } catch (error) {
    expect(error).toMatchObject({ code: 'list_invalid', disposition: 'fatal' });
    return (error as Error).message;
  }
  throw new Error('no fault was found');
}

interface Format {
  format: string;
  text: string;
  hashType?: HashType;
  entries: ListEntry[];
}

const FORMATS: Format[] = [
  {
    format: 'what moderato hash prints',
    text: `pdq,quality,sha256,id\n${A},100,${B},a.jpg\n${A},100,${B},"b, c.jpg"\n`,
    entries: [
      { pdq: A, sha256: B, id: 'a.jpg' },
      { pdq: A, sha256: B, id: 'b, c.jpg' },
    ],
  },
  {
    format: 'a header in another order, with notes and cells left empty',
    text: `id,note,sha256,pdq\nx,seen twice,,${A}\ny,,${B},\n`,
    entries: [
      { pdq: A, id: 'x', note: 'seen twice' },
      { sha256: B, id: 'y' },
    ],
  },
  {
    format: 'bare hashes, as hashtool256 writes them',
    text: `# a comment\n\n${A}\r\n${B.toUpperCase()}\n`,
    hashType: 'pdq',
    entries: [{ pdq: A }, { pdq: B }],
  },
  {
    format: 'a hash and its metadata, as hashio reads them',
    text: `${A},file1.jpg\n${B},1234567,more\n`,
    hashType: 'pdq',
    entries: [
      { pdq: A, id: 'file1.jpg' },
      { pdq: B, id: '1234567' },
    ],
  },
  {
    format: 'what pdq-photo-hasher prints',
    text: `${A},100,a.jpg\n${B},87,b.jpg\n`,
    hashType: 'pdq',
    entries: [
      { pdq: A, id: 'a.jpg' },
      { pdq: B, id: 'b.jpg' },
    ],
  },
  {
    format: 'what pdq-photo-hasher --details prints',
    text: `hash=${A},norm=128,delta=0,quality=100,filename=a=1.jpg\n`,
    hashType: 'pdq',
    entries: [{ pdq: A, id: 'a=1.jpg' }],
  },
  {
    format: 'what sha256sum prints',
    text: `${A}  my picture, 1.jpg\n${B} *b.jpg\n`,
    hashType: 'sha256',
    entries: [
      { sha256: A, id: 'my picture, 1.jpg' },
      { sha256: B, id: 'b.jpg' },
    ],
  },
  {
    format: 'a local_file of python-threatexchange, without what is of other media',
    text: `pdq ${A}\nraw_text bball now?\nvideo_sha256 ${A}\nsha256 ${B}\n`,
    entries: [{ pdq: A }, { sha256: B }],
  },
  {
    format: 'threatexchange dataset --print-signals --csv, without false alarms',
    text: `signal_type,signal_str,collab,category,tags\npdq,${A},Sample,POSITIVE_CLASS,a b\npdq,${B},Sample,NEGATIVE_CLASS,\nvideo_md5,bad,Sample,POSITIVE_CLASS,\n`,
    entries: [{ pdq: A }],
  },
  {
    format: 'JSON lines',
    text: `{"pdq":"${A}","id":"x","note":"n"}\n{"sha256":"${B}"}\n`,
    entries: [{ pdq: A, id: 'x', note: 'n' }, { sha256: B }],
  },
  {
    format:
      "contents of a bank, as Hasher-Matcher-Actioner's API has them, without what is disabled",
    text: [
      { id: 7, disable_until_ts: 1, signals: { pdq: A }, bank: { name: 'B' }, note: 'n' },
      { id: 8, disable_until_ts: 0, signals: { pdq: A }, bank: { name: 'B' } },
      { id: 9, disable_until_ts: 9_999_999_999, signals: { pdq: A } },
      { id: 10, signals: { video_md5: 'x' } },
    ]
      .map((content) => JSON.stringify(content))
      .join('\n'),
    entries: [{ pdq: A, id: '7', note: 'n' }],
  },
  {
    format: 'a byte order mark',
    text: `\uFEFFpdq\n${A}\n`,
    entries: [{ pdq: A }],
  },
  {
    format: 'hashes of poor quality, which only the file itself can match',
    text: `pdq,quality,sha256\n${A},49,\n${A},49,${B}\n${A},50,\n`,
    entries: [{ sha256: B }, { pdq: A }],
  },
  { format: 'no entries, said outright', text: '# none\n', entries: [] },
];

describe('a list in text', () => {
  it.each(FORMATS)('may be $format', ({ text, hashType, entries }) => {
    expect(parse(text, hashType)).toEqual(entries);
  });

  it.each<[string, string, RegExp]>([
    ['a hash of a type that nobody said', A, /l\.csv:1: nothing says whether .* set hashType/],
    ['a hash cut short', `pdq\n${A.slice(1)}`, /l\.csv:2: "8f8.*" is not a hash/],
    ['a column too few', `pdq,id\n${A}`, /l\.csv:2: 1 columns, but the header has 2/],
    ['an unknown column', `pdq,quallity\n${A},9`, /l\.csv:1: columns "quallity": expected pdq/],
    ['a quality that is none', `pdq,quality\n${A},high`, /l\.csv:2: quality "high" is not/],
    ['no hash', 'pdq,id\n,x', /l\.csv:2: no hash/],
    ['a misspelt type', `pqd ${A}`, /l\.csv:1: a hash of type "pqd": expected pdq or sha256/],
    ['broken JSON', '{"pdq":', /l\.csv:1: not JSON/],
    ['an unknown key', `{"pdq":"${A}","hash":"x"}`, /l\.csv:1: Unrecognized key: "hash"/],
    ['an empty file', '\n', /nothing is in it.*write # none/],
  ])('is refused with %s', (_fault, text, message) => {
    expect(faultsOf(text)).toMatch(message);
  });

  it('names 20 faults with their lines and counts the rest', () => {
    const message = faultsOf(`pdq\n${'x\n'.repeat(23)}`);
    expect(message).toMatch(/^reading the list l\.csv: 23 faults:\n/);
    expect(message.match(/l\.csv:\d+: /g)).toHaveLength(20);
    expect(message).toMatch(/\nand 3 more$/);
  });

  it('names a fault in the header alone, not in what is below it', () => {
    expect(faultsOf(`pdq,wrong\n${A},x\n${A},x\n`)).toMatch(/: 1 fault:/);
  });
});

describe('a line of comma-separated values', () => {
  it('gives back every field that was written', () => {
    const field = fc.string().filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        expect(parseCsvLine(fields.map(csvField).join(','))).toEqual(fields);
      }),
    );
  });
});
