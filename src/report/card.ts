import type { PolicyResult, Verdict } from '../events/types.generated.ts';
import { decisiveMatch } from '../policies/decide.ts';
import {
  comparisonOf,
  decimal,
  decisiveResult,
  listText,
  placeText,
  OUTCOME_NAMES,
  scoreText,
  signed,
} from './decisive.ts';
import { markup, type Html } from './markup.ts';
import type { ReportEntry } from './report-model.ts';

/** One image with its verdict and everything that explains it. */
export function card({ file, thumbnail, verdict }: ReportEntry): Html {
  return markup`<article class="card ${verdict.outcome}">
    <div class="picture">
      ${
        thumbnail === null
          ? markup`<div class="no-picture">No preview: the image could not be decoded</div>`
          : markup`<img src="${thumbnail}" alt="" loading="lazy" decoding="async" />`
      }
      <span class="badge">${OUTCOME_NAMES[verdict.outcome]}</span>
    </div>
    <div class="body">
      <h3><bdi>${name(file)}</bdi></h3>
      ${why(verdict)} ${verdict.policies.length > 0 ? scores(verdict) : null} ${details(verdict)}
    </div>
  </article> `;
}

/** The folder steps back behind the name. */
function name(file: string): Html {
  const cut = file.lastIndexOf('/') + 1;
  return markup`<span class="folder">${file.slice(0, cut)}</span>${file.slice(cut)}`;
}

function why(verdict: Verdict): Html {
  const { reason } = verdict;
  if (reason) {
    return markup`<p class="why">
      <code>${reason.code}</code> ${reason.message}.
      <span class="quiet">The bundle asks for: ${reason.requested}.</span>
    </p>`;
  }
  const list = decisiveMatch(verdict.lists);
  if (list) return markup`<p class="why">On the ${listText(list)}.</p>`;
  const result = decisiveResult(verdict);
  if (!result) return markup`<p class="why quiet">No enforced policy judged this image.</p>`;
  const place = placeText(result, verdict);
  const { sign, threshold } = comparisonOf(result);
  if (verdict.outcome === 'allow') {
    return markup`<p class="why quiet">
      Nothing fired. Nearest: ${result.title}, ${scoreText(result.score)}
      ${
        result.belowFloor
          ? markup`but too unlike “${result.prompt}” to count`
          : result.suppressedBy !== null
            ? markup`but like an image on the list “${result.suppressedBy}”`
            : markup`${sign} ${scoreText(threshold)}`
      }.
    </p>`;
  }
  return markup`<p class="why">
    <strong>${result.title}</strong> ${scoreText(result.score)} ${sign} ${scoreText(threshold)}:
    looks like “${result.prompt}”${overContrast(result)}${place === null ? null : `, in ${place}`}.
  </p>`;
}

function overContrast({ margin, contrast }: PolicyResult): Html | null {
  if (margin === null || contrast === null) return null;
  return markup`<span class="quiet">, ${signed(margin)} over “${contrast}”</span>`;
}

function scores({ policies }: Verdict): Html {
  return markup`<ul class="scores">
    ${policies.map(
      (result) =>
        markup`<li class="${result.band} ${result.mode}" data-policy="${result.id}">
          <span class="policy" title="${result.title}"
            ><span class="title">${result.title}</span>${remarks(result)}</span
          >
          ${bar(result)}
          <span class="score">${scoreText(result.score)}</span>
        </li>`,
    )}
  </ul>`;
}

function remarks({ mode, belowFloor, suppressedBy }: PolicyResult): Html[] {
  const shadow = markup`<span class="shadow-mark" title="Scored and reported; never changes the outcome">shadow</span>`;
  const floor = markup`<span class="shadow-mark" title="Reached a threshold, but the image is too unlike the prompt to count">below floor</span>`;
  const suppressed = markup`<span class="shadow-mark" title="Reached a threshold, but is like an image on this list of harmless ones">${suppressedBy ?? ''}</span>`;
  return [
    ...(mode === 'shadow' ? [shadow] : []),
    ...(belowFloor ? [floor] : []),
    ...(suppressedBy === null ? [] : [suppressed]),
  ];
}

/** Widths are SVG attributes, which the page's content security policy lets pass, unlike inline styles. */
function bar({ score, thresholds, band }: PolicyResult): Html {
  const marks = thresholds.block === null ? 'never blocks' : `block ${scoreText(thresholds.block)}`;
  return markup`<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img">
    <title>
      Score ${scoreText(score)}: ${band}. Review ${scoreText(thresholds.review)}, ${marks}
    </title>
    <rect class="track" width="100" height="8" />
    <rect class="value" width="${(score * 100).toFixed(1)}" height="8" />
    ${mark('review', thresholds.review)}
    ${thresholds.block === null ? null : mark('block', thresholds.block)}
  </svg>`;
}

function mark(kind: 'review' | 'block', threshold: number): Html {
  const x = (threshold * 100).toFixed(1);
  return markup`<line class="mark ${kind}" x1="${x}" x2="${x}" y1="0" y2="8" />`;
}

function details(verdict: Verdict): Html {
  return markup`<details>
    <summary>Details</summary>
    ${verdict.policies.length > 0 ? explanation(verdict.policies) : null}
    <dl>
      ${facts(verdict).map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </details>`;
}

/** Both prompts that competed for the image, with their cosines apart by the margin. */
function explanation(policies: readonly PolicyResult[]): Html {
  return markup`<ul class="prompts">
    ${policies.map(
      (result) =>
        markup`<li data-policy="${result.id}">
          <span class="policy">${result.title}</span>
          <span
            >“${result.prompt}” ${decimal(result.cosine, 3)}${floor(result)}${
              result.margin === null || result.contrast === null
                ? null
                : markup`, ${signed(result.margin, 3)} against “${result.contrast}”`
            }</span
          >
        </li>`,
    )}
  </ul>`;
}

function floor({ cosine, cosineFloor }: PolicyResult): Html | null {
  if (cosineFloor === null) return null;
  const side = cosine < cosineFloor ? 'below' : 'above';
  return markup` <span class="quiet">(${side} the floor of ${decimal(cosineFloor, 2)})</span>`;
}

function facts({ image, timings, verdictId, reason }: Verdict): Array<[string, string]> {
  const facts: Array<[string, string]> = [];
  if (image) {
    const size = image.width === null ? null : `${image.width} × ${image.height ?? '?'}`;
    const frames = (image.frames ?? 1) > 1 ? `${image.frames ?? 1} frames` : null;
    facts.push([
      'Image',
      [size, image.format, kilobytes(image.bytes), frames, image.damaged ? 'damaged' : null]
        .filter((each) => each !== null)
        .join(', '),
    ]);
    facts.push(['SHA-256', image.sha256]);
  }
  if (reason) facts.push(['Failed at', reason.stage]);
  facts.push(['Took', `${timings.totalMs.toFixed(0)} ms`], ['Verdict', verdictId]);
  return facts;
}

function kilobytes(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${Math.round(bytes / 1000)} kB`;
}
