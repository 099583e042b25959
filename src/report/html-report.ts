import { createHash } from 'node:crypto';
import { card } from './card.ts';
import { embeddedJson, markup, trusted, type Html } from './markup.ts';
import { header, policyOverview, tools } from './page.ts';
import { pageScript } from './page-script.ts';
import {
  countOutcomes,
  inOrder,
  pageEntry,
  summarizePolicies,
  type Report,
} from './report-model.ts';
import { STYLES } from './styles.ts';

export type { Report, ReportEntry } from './report-model.ts';

/**
 * A scan as one self-contained HTML page: no network, no font, no library; it can be mailed and archived. Its
 * content security policy lets run what is written here and nothing that a file name or a prompt might bring.
 */
export function renderReport(report: Report): string {
  return [...reportChunks(report)].join('');
}

/** The same page piece by piece, one card at a time: thousands of thumbnails need not be one string. */
export function* reportChunks(report: Report): Generator<string, void, undefined> {
  const script = pageScript();
  const entries = inOrder(report.entries);
  const policies = summarizePolicies(entries);
  const csp = [
    "default-src 'none'",
    'img-src data:',
    `style-src '${hashOf(STYLES)}'`,
    `script-src '${hashOf(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  yield markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${csp}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="Moderato" />
        <title>${report.title}</title>
        ${element('style', STYLES)}
      </head>
      <body>
        ${header(report, countOutcomes(entries))} ${policyOverview(policies)}
        <main>
          ${tools(policies, entries.length)}
          <div class="grid" id="grid">`.text;
  for (const entry of entries) yield card(entry).text;
  yield markup`</div>
        <p id="none" class="none" hidden>
          No image matches. <button type="button" class="clear">Clear filters</button>
        </p>
        </main>
        <footer>
          Scores come from a zero-shot model: a signal for triage, not a judgement. Made by Moderato.
        </footer>
        <script type="application/json" id="entries">${embeddedJson(entries.map(pageEntry))}</script>
        ${element('script', script)}
      </body>
    </html>
`.text;
}

/** The policy's hash is of the exact text, white space included. */
function element(name: 'style' | 'script', text: string): Html {
  return trusted(`<${name}>${text}</${name}>`);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
