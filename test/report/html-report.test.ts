import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import {
  renderReport,
  reportChunks,
  type Report,
  type ReportEntry,
} from '../../src/report/html-report.ts';
import type { PageEntry } from '../../src/report/page-logic.ts';
import { aNotInspectedVerdict, aPolicyResult, aVerdict } from '../support/builders.ts';

const THUMBNAIL = 'data:image/webp;base64,UklGRg==';

const anEntry = (overrides: Partial<ReportEntry> = {}): ReportEntry => ({
  file: 'a.jpg',
  thumbnail: THUMBNAIL,
  verdict: aVerdict(),
  ...overrides,
});
const aReport = (entries: ReportEntry[], overrides: Partial<Report> = {}): Report => {
  const { model, bundle } = aVerdict();
  const generatedAt = new Date('2026-11-23T14:00:00Z');
  return { title: 'Scan of samples', generatedAt, model, bundle, entries, ...overrides };
};

const elements = (page: string, name: string): string[] =>
  [...page.matchAll(new RegExp(`<${name}[^>]*>(.*?)</${name}>`, 'gs'))].map((match) =>
    String(match[1]),
  );
const embedded = (page: string): PageEntry[] =>
  JSON.parse(String(elements(page, 'script')[0])) as PageEntry[];
const cardNames = (page: string): string[] =>
  elements(page, 'h3').map((name) => name.replace(/<[^>]*>/g, ''));

const allowed = (file: string): ReportEntry =>
  anEntry({
    file,
    verdict: aVerdict({
      outcome: 'allow',
      policies: [aPolicyResult({ band: 'allow', score: 0.2 })],
    }),
  });

describe('the report', () => {
  it('has one card for each image, the most severe and the strongest first', () => {
    const blocked = (file: string, score: number): ReportEntry =>
      anEntry({ file, verdict: aVerdict({ policies: [aPolicyResult({ score })] }) });
    const page = renderReport(
      aReport([
        allowed('c.jpg'),
        allowed('b.jpg'),
        blocked('weak.jpg', 0.91),
        anEntry({ file: 'broken.jpg', thumbnail: null, verdict: aNotInspectedVerdict() }),
        blocked('strong.jpg', 0.99),
      ]),
    );
    expect(cardNames(page)).toEqual(['strong.jpg', 'weak.jpg', 'broken.jpg', 'b.jpg', 'c.jpg']);
    expect(embedded(page).map(({ file }) => file)).toEqual(cardNames(page));
  });

  it('explains a block by its policy, score, threshold, prompt and margin', () => {
    const why = /<p class="why">(.*?)<\/p>/s.exec(renderReport(aReport([anEntry()])))?.[1];
    const text = String(why)
      .replace(/<[^>]*>/g, '')
      .replace(/\s+/g, ' ')
      .trim();
    expect(text).toBe('Firearms 0.97 ≥ 0.90: looks like “a rifle”, +0.09 over “a water pistol”.');
  });

  it('marks the thresholds on the bar of each score', () => {
    const page = renderReport(aReport([anEntry()]));
    const bar = /<svg class="bar".*?<\/svg>/s.exec(page)?.[0];
    expect(bar).toContain('class="value" width="97.0"');
    expect(bar).toContain('class="mark review" x1="60.0"');
    expect(bar).toContain('class="mark block" x1="90.0"');
  });

  it('says why an image was not inspected and what the bundle asks for', () => {
    const page = renderReport(
      aReport([anEntry({ thumbnail: null, verdict: aNotInspectedVerdict() })]),
    );
    expect(page).toContain('<code>event_undecodable</code>');
    expect(page).toContain('The bundle asks for: review');
    expect(page).toContain('No preview');
  });

  it('tells shadow policies and results below the cosine floor apart', () => {
    const policies = [
      aPolicyResult({ id: 'pets', mode: 'shadow' }),
      aPolicyResult({ id: 'cars', band: 'allow', score: 0.7, belowFloor: true, cosine: 0.1 }),
    ];
    const page = renderReport(
      aReport([anEntry({ verdict: aVerdict({ outcome: 'allow', policies }) })]),
    );
    const row = (id: string): string =>
      String(new RegExp(`<li[^>]*data-policy="${id}".*?</li>`, 's').exec(page)?.[0]);
    expect(row('pets')).toContain('>shadow<');
    expect(row('cars')).toContain('>below floor<');
    expect(row('cars')).not.toContain('>shadow<');
    expect(page).toMatch(/1 would block/);
    expect(page).toMatch(/1 below floor/);
    expect(page).toContain('but too unlike “a rifle” to count');
  });

  it('is the same page in pieces', () => {
    const report = aReport([anEntry(), allowed('b.jpg')]);
    const chunks = [...reportChunks(report)];
    expect(chunks).toHaveLength(4);
    expect(chunks.join('')).toBe(renderReport(report));
  });

  it('holds for a scan without images', () => {
    const page = renderReport(aReport([]));
    expect(cardNames(page)).toEqual([]);
    expect(page).not.toContain('NaN');
  });
});

describe('hostile names and prompts', () => {
  const HOSTILE = `</script><script>alert(1)</script><img src=x onerror=alert(2)>" onfocus="alert(3)" '&\u2028`;
  const page = renderReport(
    aReport(
      [
        anEntry({
          file: `${HOSTILE}.jpg`,
          verdict: aVerdict({
            labels: { [HOSTILE]: HOSTILE },
            policies: [aPolicyResult({ title: HOSTILE, prompt: HOSTILE, contrast: HOSTILE })],
          }),
        }),
        anEntry({
          file: HOSTILE,
          thumbnail: null,
          verdict: aNotInspectedVerdict({
            reason: { code: HOSTILE, message: HOSTILE, stage: HOSTILE, requested: 'review' },
          }),
        }),
      ],
      { title: HOSTILE },
    ),
  );

  it('bring no element into the page', () => {
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).not.toMatch(/<img src=x/);
    expect(page.match(/<img [^>]*onerror/)).toBeNull();
  });

  it('bring no attribute into an element', () => {
    const markup = page.replace(/<script.*?<\/script>/gs, '');
    expect(markup).toContain('onfocus=&quot;');
    expect(markup).not.toContain('onfocus="');
  });

  it('come unharmed through the embedded JSON', () => {
    expect(embedded(page).map(({ file }) => file)).toEqual([`${HOSTILE}.jpg`, HOSTILE]);
  });
});

describe('the page', () => {
  const page = renderReport(aReport([anEntry()]));
  const csp = String(/http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1])
    .replaceAll('&#39;', "'")
    .split('; ');
  const sha256 = (text: string | undefined): string =>
    `'sha256-${createHash('sha256').update(String(text)).digest('base64')}'`;

  it('allows its own script and style and nothing else', () => {
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain('img-src data:');
    expect(csp).toContain(`style-src ${sha256(elements(page, 'style')[0])}`);
    expect(csp).toContain(`script-src ${sha256(elements(page, 'script')[1])}`);
    expect(page).not.toMatch(/ style=/);
  });

  it('asks for nothing from any network', () => {
    expect(page).not.toMatch(/(src|href|url)\s*[=(]\s*["']?(?!data:)[a-z]+:/i);
    expect(page).not.toMatch(/<link|@import|https?:/);
  });

  it('holds a script that is JavaScript', () => {
    expect(() => new Script(String(elements(page, 'script')[1]))).not.toThrow();
  });

  it('gives the script every element that it looks for', () => {
    const script = String(elements(page, 'script')[1]);
    const ids = [...script.matchAll(/\$\('(\w+)'\)/g)].map((match) => String(match[1]));
    expect(ids.length).toBeGreaterThan(5);
    expect(ids.filter((id) => !page.includes(`id="${id}"`))).toEqual([]);
  });
});
