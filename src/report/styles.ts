/** Colours carry meaning for outcomes only, and never alone: each also has its word. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --paper: #f6f5f2; --card: #ffffff; --ink: #1f2227; --quiet: #646a73; --line: #e3e0da; --track: #eceae5;
  --block: #b23a30; --review: #96690a; --allow: #2f7a57; --not_inspected: #5d6672; --on: #ffffff;
  --mark: #1f2227; --bar-review: #d9a53a; --bar-block: #cc5147; --bar-allow: #a9b1ad;
  --shadow: 0 1px 2px rgb(30 25 15 / .05), 0 4px 14px rgb(30 25 15 / .05);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1d2024; --ink: #e9e7e2; --quiet: #9aa0a8; --line: #2e3238; --track: #2b2f35;
    --block: #f08a80; --review: #e2b659; --allow: #74c79c; --not_inspected: #a3acb8; --on: #15171a;
    --mark: #e9e7e2; --bar-review: #c9993a; --bar-block: #d8655b; --bar-allow: #5d666b;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
.hidden { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
body {
  margin: 0 auto; max-width: 1480px; padding: 40px clamp(16px, 3vw, 44px) 56px;
  background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
h1 { margin: 0; font-size: 28px; line-height: 1.2; font-weight: 650; letter-spacing: -.015em; text-wrap: balance; overflow-wrap: anywhere; }
h2 { margin: 36px 0 12px; font-size: 15px; font-weight: 600; }
code { font: .88em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.meta { margin: 8px 0 24px; color: var(--quiet); font-size: 14px; }
button, select, input { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid #4a7fd6; outline-offset: 2px; }

.proportions { display: block; width: 100%; height: 6px; border-radius: 3px; overflow: hidden; margin-bottom: 14px; }
.proportions .block { fill: var(--bar-block); } .proportions .review { fill: var(--bar-review); }
.proportions .allow { fill: var(--allow); } .proportions .not_inspected { fill: var(--bar-allow); }
.outcomes { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.outcomes button {
  display: grid; grid-template-columns: 1fr auto; align-items: baseline; gap: 0 8px; padding: 14px 18px; text-align: left;
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; cursor: pointer; box-shadow: var(--shadow);
}
.outcomes .figure { grid-column: 1 / -1; font-size: 30px; line-height: 1.15; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
.outcomes .block .figure { color: var(--block); } .outcomes .review .figure { color: var(--review); }
.outcomes .allow .figure { color: var(--allow); } .outcomes .not_inspected .figure { color: var(--not_inspected); }
.outcomes button:hover, .policy-card:hover { border-color: color-mix(in srgb, var(--ink) 35%, var(--line)); }
.outcomes button[aria-pressed="true"] { border-color: var(--ink); box-shadow: inset 0 0 0 1px var(--ink); }

.policies { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 12px; }
.policy-card {
  display: flex; flex-direction: column; gap: 8px; padding: 12px 16px; text-align: left; cursor: pointer;
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; font-size: 14px; min-width: 0;
}
.policy-title { font-weight: 550; overflow-wrap: anywhere; }
.histogram { margin-top: auto; width: 100%; height: 34px; overflow: visible; }
.histogram .allow { fill: var(--bar-allow); } .histogram .review { fill: var(--bar-review); } .histogram .block { fill: var(--bar-block); }
.axis { stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.tally { display: flex; flex-wrap: wrap; gap: 0 12px; font-size: 13px; font-variant-numeric: tabular-nums; }
.tally .block { color: var(--block); font-weight: 600; } .tally .review { color: var(--review); font-weight: 600; }
.shadow-mark { display: inline-block; padding: 0 6px; border: 1px dashed var(--quiet); border-radius: 6px; font-size: 11px; line-height: 16px; font-weight: 450; color: var(--quiet); white-space: nowrap; }

.tools { display: none; }
.scripted .tools {
  position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: 10px 16px;
  margin: 32px -8px 18px; padding: 12px 8px; background: color-mix(in srgb, var(--paper) 94%, transparent);
  backdrop-filter: blur(8px); border-bottom: 1px solid var(--line); font-size: 14px;
}
.tools label { display: inline-flex; align-items: center; gap: 7px; color: var(--quiet); }
.tools select, .tools input[type="search"] {
  height: 36px; padding: 0 10px; background: var(--card); color: var(--ink); border: 1px solid var(--line); border-radius: 8px; max-width: 176px;
}
.search { flex: 1 1 140px; } .tools .search input { width: 100%; max-width: none; }
.check { cursor: pointer; } .check input { width: 16px; height: 16px; margin: 0; accent-color: var(--ink); }
.found { display: inline-flex; gap: 12px; align-items: center; margin-left: auto; font-variant-numeric: tabular-nums; color: var(--quiet); }
.clear { padding: 0; border: 0; background: none; color: var(--ink); text-decoration: underline; text-underline-offset: 3px; cursor: pointer; }

.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 316px), 1fr)); gap: 20px; align-items: start; margin-top: 24px; }
.scripted .grid { margin-top: 0; }
.card {
  --tone: var(--quiet); overflow: hidden; background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow);
  content-visibility: auto; contain-intrinsic-size: auto 316px auto 470px;
}
.card.block { --tone: var(--block); } .card.review { --tone: var(--review); }
.card.allow { --tone: var(--allow); } .card.not_inspected { --tone: var(--not_inspected); }
.picture { position: relative; aspect-ratio: 4 / 3; overflow: hidden; background: var(--track); }
.picture img { width: 100%; height: 100%; object-fit: contain; display: block; }
.picture:has(.no-picture) { aspect-ratio: auto; height: 132px; }
.no-picture { display: grid; place-items: center; height: 100%; padding: 24px; text-align: center; font-size: 13px; color: var(--quiet); }
.blurred .card:is(.block, .review) img { filter: blur(22px) saturate(.4); transition: filter .15s; }
.blurred .card:is(.block, .review) .picture:hover img { filter: none; }
.badge { position: absolute; left: 12px; top: 12px; padding: 3px 11px; border-radius: 999px; background: var(--tone); color: var(--on); font-size: 13px; font-weight: 600; }
.body { padding: 14px 16px 12px; }
h3 { margin: 0; font: 550 14px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
.folder { font-weight: 400; color: var(--quiet); }
.why { margin: 4px 0 0; font-size: 14px; line-height: 1.45; overflow-wrap: anywhere; }
.why strong { font-weight: 600; color: var(--tone); }
.scores { list-style: none; margin: 12px 0 0; padding: 10px 0 0; border-top: 1px solid var(--line); font-size: 13px; }
.scores li { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr) 30px; align-items: center; gap: 10px; min-height: 24px; color: var(--quiet); }
.scores .policy { display: flex; align-items: center; gap: 6px; }
.scores .title { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.scores li.block .policy, .scores li.review .policy, .scores li.chosen .policy { color: var(--ink); }
.scores li.chosen .policy { font-weight: 600; }
.score { text-align: right; font-variant-numeric: tabular-nums; }
.scores li.block .score { color: var(--block); font-weight: 650; } .scores li.review .score { color: var(--review); font-weight: 650; }
.bar { display: block; width: 100%; height: 8px; border-radius: 2px; }
.track { fill: var(--track); }
.value { fill: var(--bar-allow); } li.review .value { fill: var(--bar-review); } li.block .value { fill: var(--bar-block); }
li.shadow .value { opacity: .5; }
.mark { stroke: var(--mark); stroke-width: 1.5; vector-effect: non-scaling-stroke; opacity: .75; }
.mark.review { stroke-dasharray: 2 2; }
details { margin-top: 10px; font-size: 13px; color: var(--quiet); }
summary { cursor: pointer; width: max-content; border-radius: 4px; }
summary:hover { color: var(--ink); }
.prompts { list-style: none; margin: 8px 0 0; padding: 0; }
.prompts li { padding: 6px 0; border-bottom: 1px solid var(--line); } .prompts .policy { display: block; color: var(--ink); font-weight: 500; }
.prompts li.chosen .policy { font-weight: 650; }
dl { margin: 10px 0 2px; } dl div { display: grid; grid-template-columns: 74px minmax(0, 1fr); }
dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
.none { padding: 56px 0; text-align: center; color: var(--quiet); }
footer { margin-top: 40px; color: var(--quiet); font-size: 13px; }
@media (max-width: 560px) {
  body { padding-top: 24px; } h1 { font-size: 23px; }
  .outcomes { grid-template-columns: 1fr 1fr; } .policies { grid-template-columns: 1fr 1fr; }
  .scripted .tools { position: static; display: grid; grid-template-columns: 1fr 1fr; }
  .search, .found { grid-column: 1 / -1; margin-left: 0; justify-content: space-between; }
  .tools label:not(.check, .search) { flex-direction: column; align-items: stretch; gap: 3px; } .tools select { width: 100%; }
}
@media print {
  body { max-width: none; padding: 0; background: #fff; } .tools, details, .clear { display: none !important; }
  .card { break-inside: avoid; box-shadow: none; content-visibility: visible; } .grid { grid-template-columns: repeat(3, 1fr); }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;
