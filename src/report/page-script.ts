import { compare, matches } from './page-logic.ts';

/** The page's own script: reads the controls, shows and orders the cards, keeps the choice in the address. */
export function pageScript(): string {
  return `'use strict';
${String(matches)}
${String(compare)}
${CONTROLS}`;
}

const CONTROLS = `
const $ = (id) => document.getElementById(id);
const entries = JSON.parse($('entries').textContent);
const grid = $('grid');
const cards = [...grid.children];
const outcomeButtons = [...document.querySelectorAll('[data-outcome-filter]')];
const controls = { policy: $('policy'), band: $('band'), sort: $('sort'), text: $('text') };

const pressed = () =>
  outcomeButtons.filter((b) => b.getAttribute('aria-pressed') === 'true').map((b) => b.dataset.outcomeFilter);

let sorted = 'severity';

function update() {
  const filters = {
    outcomes: pressed(),
    policy: controls.policy.value,
    band: controls.band.value,
    text: controls.text.value.trim(),
  };
  let shown = 0;
  entries.forEach((entry, i) => {
    const visible = matches(entry, filters);
    cards[i].hidden = !visible;
    if (visible) shown++;
  });
  if (controls.sort.value !== sorted) {
    sorted = controls.sort.value;
    const order = entries.map((_, i) => i).sort((a, b) => compare(entries[a], entries[b], sorted));
    grid.append(...order.map((i) => cards[i]));
  }
  for (const row of document.querySelectorAll('.chosen')) row.classList.remove('chosen');
  if (filters.policy !== '') {
    for (const row of document.querySelectorAll('[data-policy="' + CSS.escape(filters.policy) + '"]')) {
      row.classList.add('chosen');
    }
  }
  const all = shown === entries.length;
  $('count').textContent = all ? entries.length + ' images' : shown + ' of ' + entries.length + ' images';
  $('none').hidden = shown > 0;
  $('clear').hidden =
    filters.outcomes.length === 0 && filters.policy === '' && filters.band === '' && filters.text === '';
  const state = new URLSearchParams();
  if (filters.outcomes.length > 0) state.set('outcome', filters.outcomes.join(','));
  for (const [name, control] of Object.entries(controls)) {
    if (control.value !== '' && control.value !== 'severity') state.set(name, control.value);
  }
  const hash = state.toString();
  history.replaceState(null, '', hash === '' ? location.pathname + location.search : '#' + hash);
}

function restore() {
  const state = new URLSearchParams(location.hash.slice(1));
  const outcomes = (state.get('outcome') ?? '').split(',');
  for (const b of outcomeButtons) {
    b.setAttribute('aria-pressed', String(outcomes.includes(b.dataset.outcomeFilter)));
  }
  for (const [name, control] of Object.entries(controls)) {
    control.value = state.get(name) ?? (name === 'sort' ? 'severity' : '');
    if (control.value === '' && name === 'sort') control.value = 'severity';
  }
  update();
}

function clearFilters() {
  for (const b of outcomeButtons) b.setAttribute('aria-pressed', 'false');
  controls.policy.value = controls.band.value = controls.text.value = '';
  update();
}

for (const b of outcomeButtons) {
  b.addEventListener('click', () => {
    b.setAttribute('aria-pressed', String(b.getAttribute('aria-pressed') !== 'true'));
    update();
  });
}
for (const control of Object.values(controls)) control.addEventListener('input', update);
for (const b of document.querySelectorAll('[data-policy-filter]')) {
  b.addEventListener('click', () => {
    controls.policy.value = b.dataset.policyFilter;
    controls.band.value = 'fired';
    controls.sort.value = 'score:' + b.dataset.policyFilter;
    update();
    $('tools').scrollIntoView({ block: 'start' });
  });
}
for (const b of document.querySelectorAll('.clear')) b.addEventListener('click', clearFilters);
$('blur').addEventListener('change', (event) => document.body.classList.toggle('blurred', event.target.checked));
addEventListener('hashchange', restore);
addEventListener('keydown', (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === '/' && !typing) {
    event.preventDefault();
    controls.text.focus();
  } else if (event.key === 'Escape' && event.target === controls.text) {
    controls.text.value = '';
    update();
  }
});
document.body.classList.add('scripted');
restore();
`;
