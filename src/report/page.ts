import type { Outcome } from '../events/types.generated.ts';
import { OUTCOME_NAMES, OUTCOMES, scoreText } from './decisive.ts';
import { markup, type Html } from './markup.ts';
import { HISTOGRAM_BINS, type PolicySummary, type Report } from './report-model.ts';

export function header(report: Report, counts: Record<Outcome, number>): Html {
  const { title, generatedAt, model, bundle, entries } = report;
  return markup`<header>
    <h1>${title}</h1>
    <p class="meta">
      ${entries.length} ${entries.length === 1 ? 'image' : 'images'} · ${when(generatedAt)} · model
      ${model.id}
      <code title="SHA-256 of the model folder: ${model.hash}">${short(model.hash)}</code>
      · policy bundle
      <code title="SHA-256 of the policy bundle: ${bundle.hash}">${short(bundle.hash)}</code>
    </p>
    ${proportions(counts, entries.length)}
    <div class="outcomes" role="group" aria-label="Show only these outcomes">
      ${OUTCOMES.map(
        (outcome) =>
          markup`<button
            type="button"
            class="${outcome}"
            data-outcome-filter="${outcome}"
            aria-pressed="false"
          >
            <span class="figure">${counts[outcome]}</span>
            <span>${OUTCOME_NAMES[outcome]}</span>
            <span class="quiet">${share(counts[outcome], entries.length)}</span>
          </button>`,
      )}
    </div>
  </header>`;
}

/** One bar that the outcomes share. */
function proportions(counts: Record<Outcome, number>, total: number): Html | null {
  if (total === 0) return null;
  let x = 0;
  const parts = OUTCOMES.map((outcome) => {
    const width = (counts[outcome] / total) * 100;
    const part = markup`<rect
      class="${outcome}"
      x="${x.toFixed(2)}"
      width="${width.toFixed(2)}"
      height="4"
    />`;
    x += width;
    return part;
  });
  return markup`<svg
    class="proportions"
    viewBox="0 0 100 4"
    preserveAspectRatio="none"
    aria-hidden="true"
  >
    ${parts}
  </svg>`;
}

export function policyOverview(policies: readonly PolicySummary[]): Html | null {
  if (policies.length === 0) return null;
  return markup`<section aria-labelledby="policies-title">
    <h2 id="policies-title">Policies</h2>
    <div class="policies">
      ${policies.map(
        (policy) =>
          markup`<button type="button" class="policy-card" data-policy-filter="${policy.id}">
            <span class="policy-title"
              >${policy.title}${
                policy.mode === 'shadow' ? markup` <span class="shadow-mark">shadow</span>` : null
              }</span
            >
            ${histogram(policy)}
            <span class="tally">${tally(policy)}</span>
          </button>`,
      )}
    </div>
  </section>`;
}

function tally({ blocked, reviewed, heldBack, highest, mode }: PolicySummary): Html {
  const would = mode === 'shadow' ? 'would ' : '';
  const held =
    heldBack > 0
      ? markup`<span class="quiet" title="Scores that reached a threshold, of images too unlike the prompt to count"
          >${heldBack} below floor</span
        >`
      : null;
  if (blocked === 0 && reviewed === 0) {
    return markup`<span class="quiet">never fired, highest ${scoreText(highest)}</span> ${held}`;
  }
  return markup`${blocked > 0 ? markup`<span class="block">${blocked} ${would}block</span>` : null}
    ${reviewed > 0 ? markup`<span class="review">${reviewed} ${would}review</span>` : null}
    <span class="quiet">highest ${scoreText(highest)}</span> ${held}`;
}

/** Counts on a square-root scale, so that one image near a threshold is seen beside a thousand at 0. */
function histogram({ histogram: bins, thresholds }: PolicySummary): Html {
  const tallest = Math.sqrt(Math.max(1, ...bins.map(({ count }) => count)));
  const width = 100 / HISTOGRAM_BINS;
  const bars = bins.map(({ count, band }, bin) => {
    if (count === 0) return null;
    const height = Math.max(2, (Math.sqrt(count) / tallest) * 26);
    return markup`<rect
      class="${band}"
      x="${(bin * width + 0.2).toFixed(2)}"
      y="${(28 - height).toFixed(2)}"
      width="${(width - 0.4).toFixed(2)}"
      height="${height.toFixed(2)}"
    />`;
  });
  const marks = [
    ['review', thresholds.review],
    ['block', thresholds.block],
  ] as const;
  return markup`<svg class="histogram" viewBox="0 0 100 29" preserveAspectRatio="none" role="img">
    <title>Distribution of scores from 0 to 1, with the thresholds</title>
    ${bars.filter((each) => each !== null)}
    <line class="axis" x1="0" x2="100" y1="28.5" y2="28.5" />
    ${marks.map(([kind, at]) =>
      at === null
        ? markup``
        : markup`<line
            class="mark ${kind}"
            x1="${(at * 100).toFixed(1)}"
            x2="${(at * 100).toFixed(1)}"
            y1="0"
            y2="28.5"
          />`,
    )}
  </svg>`;
}

export function tools(policies: readonly PolicySummary[], total: number): Html {
  const options = policies.map(({ id, title }) => markup`<option value="${id}">${title}</option>`);
  const sorts = policies.map(
    ({ id, title }) => markup`<option value="score:${id}">Score: ${title}</option>`,
  );
  return markup`<div class="tools" id="tools" role="search">
    <label class="search"
      ><span class="hidden">Search</span
      ><input
        id="text"
        type="search"
        placeholder="Search files, prompts, reasons"
        autocomplete="off"
    /></label>
    <label
      ><span>Policy</span
      ><select id="policy">
        <option value="">Any</option>
        ${options}
      </select></label
    >
    <label
      ><span>Band</span
      ><select id="band">
        <option value="">Any</option>
        <option value="fired">Review or block</option>
        <option value="block">Block</option>
        <option value="review">Review</option>
        <option value="allow">Allow</option>
      </select></label
    >
    <label
      ><span>Sort</span
      ><select id="sort">
        <option value="severity">Most severe first</option>
        <option value="file">File name</option>
        ${sorts}
      </select></label
    >
    <label class="check"><input id="blur" type="checkbox" /> Blur flagged</label>
    <span class="found"
      ><button type="button" class="clear" id="clear" hidden>Clear filters</button>
      <output id="count" aria-live="polite"
        >${total} ${total === 1 ? 'image' : 'images'}</output
      ></span
    >
  </div>`;
}

function when(date: Date): Html {
  const iso = date.toISOString();
  return markup`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

function short(hash: string): string {
  return hash.slice(0, 8);
}

function share(count: number, total: number): string {
  if (total === 0) return '';
  const percent = (count / total) * 100;
  return percent > 0 && percent < 1 ? '< 1 %' : `${Math.round(percent)} %`;
}
